"""Well-known logs, read without a mapping of the user: OpenTelemetry spans, LiteLLM, nginx, Envoy."""
