"""The policies around real calls: the same pure functions as in the simulator, with a clock, a lock and a journal.

`pipeline` is the way in; `decisions` says what it does next, and knows neither threads nor asyncio. `registry` holds the
breakers, `cache` the answers, `probes` the health checks, `events` what all of them tell, `testing` makes waits instant.
"""
