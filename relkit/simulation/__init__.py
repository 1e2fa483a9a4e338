"""Traffic with known truth: the same policies under simulated traffic, and the demo week.

The engine: a `scenario` (with `arrivals`, `latency` and `episodes`) and a Policy become numbers in `workload`; `kernel`
plays them, compiled, and `oracle` plays them once more in plain Python, from the same keyed `draws`; `run` is the door
(`relkit.simulate`). `suite` has the workloads that the engine is measured with. Only `compiled` knows numba.

`demo` is the door; `demo_truth` reads what is true, `demo_traffic` draws requests and tries, `demo_rows` and
`demo_pairs` write them as rows, `demo_draws` makes the random numbers.
"""

from relkit.simulation.demo import Demo, demo_week, write_demo

__all__ = ["Demo", "demo_week", "write_demo"]
