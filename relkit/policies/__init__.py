"""What do we do about a failure? Pure decisions on numbers: time, draws and settings come in as arguments.

Breakers: `codes` and `records` hold the numbers, `windows` and `trips` what each family counts and when it opens,
`transitions` and `breaker` the states, `switches` what comes from outside, `explain` the reason in a sentence, `guard` the
live breaker. Retries: `backoff`, `retry`, `retry_budget`, `loop`. Then `fallback`, `freshness` and `rollout`. `policy`
joins the parts, and `presets` names them.
"""
