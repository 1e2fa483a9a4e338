"""The policies around real calls: the same pure functions as in the simulator, with a clock, a lock and a journal.

`pipeline` is the way in, `answers` what goes in and comes out, `setting` what its calls share. `decisions` says what a call
does next, and knows neither threads nor asyncio; `gate` and `fleet` stand for its breakers, `single` is one try without
the loop, `callee` what a function is told. `registry` holds the breakers, `cache` the answers, `probes` the health checks.
`events` is what all of them tell, by `notes` and `telling`; `journal`, `sinks` and `files` write it down. `mirrored` and
`shadowing` send calls to another variant as well. `clocks` and `testing` make waits instant; `upstream` and `faults` are a
service on this machine that fails as it is told.
"""
