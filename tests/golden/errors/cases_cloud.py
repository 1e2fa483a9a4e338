"""botocore, grpcio, google-api-core and azure-core."""

from concurrent import futures

import botocore.config
import botocore.session
import google.api_core.exceptions as google_errors
import grpc
import requests
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, map_error
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest
from google.api_core import retry as google_retry

from .case import Cases
from .loopback import answer, cut_short, hang, hang_up, reset

cases = Cases()

# --- botocore --------------------------------------------------------------------------------------------------------


def aws(address, service="dynamodb", verify=True, **timeouts):
    config = botocore.config.Config(
        retries={"total_max_attempts": 1}, **({"read_timeout": 5, "connect_timeout": 5} | timeouts)
    )
    client = botocore.session.get_session().create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=address,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=config,
        verify=verify,
    )
    if service == "bedrock-runtime":
        return client.invoke_model(modelId="m", body=b"{}")
    if service == "s3":
        return client.get_object(Bucket="bucket", Key="key")["Body"].read()
    return client.get_item(TableName="t", Key={"id": {"S": "1"}})


def aws_case(name, status, code, message, kinds, retry, executed, wait=None, *, service="dynamodb", headers=None):
    if service == "s3":
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        sent = answer(status, headers, body)
    else:
        given = {"x-amzn-ErrorType": code} if service == "bedrock-runtime" else {}
        sent = answer(status, given | (headers or {}), {"__type": f"com.amazonaws.x#{code}", "message": message})
    cases.add(f"botocore: {name}", lambda net: aws(net.http.address(name, sent), service), kinds, retry, executed, wait)


aws_case("throttled", 400, "ThrottlingException", "Rate exceeded", "API_RATE_LIMIT", True, False)
aws_case("throughput", 400, "ProvisionedThroughputExceededException", "exceeded", "API_RATE_LIMIT", True, False)
aws_case(
    "throttled with a wait",
    429,
    "ThrottlingException",
    "Too many",
    "API_RATE_LIMIT",
    True,
    False,
    1.5,
    headers={"x-amz-retry-after": "1500"},
)
aws_case(
    "validation",
    400,
    "ValidationException",
    "The provided key element does not match the schema",
    "API_INVALID_REQUEST|VALIDATION_ERROR",
    False,
    False,
)
aws_case("denied", 400, "AccessDeniedException", "User is not authorized", "API_AUTH_ERROR", False, False)
aws_case(
    "expired",
    400,
    "ExpiredTokenException",
    "The security token included in the request is expired",
    "API_AUTH_ERROR",
    False,
    False,
)
aws_case(
    "unknown client",
    400,
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
    "API_AUTH_ERROR",
    False,
    False,
)
aws_case("no table", 400, "ResourceNotFoundException", "Requested resource not found", "API_NOT_FOUND", False, False)
aws_case(
    "condition", 400, "ConditionalCheckFailedException", "The conditional request failed", "API_CONFLICT", False, False
)
aws_case(
    "transaction",
    400,
    "TransactionConflictException",
    "Transaction is ongoing for the item",
    "API_CONFLICT",
    True,
    False,
)
aws_case("server", 500, "InternalServerError", "Internal error", "API_SERVER_ERROR", True, True)
aws_case("unavailable", 503, "ServiceUnavailable", "Try later", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
aws_case(
    "s3 slow down",
    503,
    "SlowDown",
    "Please reduce your request rate.",
    "API_RATE_LIMIT|MODEL_OVERLOADED",
    True,
    False,
    service="s3",
)
aws_case(
    "s3 no key", 404, "NoSuchKey", "The specified key does not exist.", "API_NOT_FOUND", False, False, service="s3"
)
aws_case(
    "s3 request timeout",
    400,
    "RequestTimeout",
    "Your socket connection was not read from in time.",
    "NETWORK_TIMEOUT",
    True,
    None,
    service="s3",
)
aws_case(
    "s3 skewed clock",
    403,
    "RequestTimeTooSkewed",
    "The difference is too large",
    "API_AUTH_ERROR",
    False,
    False,
    service="s3",
)
aws_case(
    "bedrock throttled",
    429,
    "ThrottlingException",
    "Too many tokens, please wait before trying again.",
    "API_RATE_LIMIT",
    True,
    False,
    service="bedrock-runtime",
)
aws_case(
    "bedrock not ready",
    429,
    "ModelNotReadyException",
    "The model is not ready",
    "MODEL_OVERLOADED",
    True,
    False,
    service="bedrock-runtime",
)
aws_case(
    "bedrock too long",
    400,
    "ValidationException",
    "Input is too long for requested model: prompt is too long",
    "MODEL_CONTEXT_LENGTH",
    False,
    False,
    service="bedrock-runtime",
)
aws_case(
    "bedrock model failed",
    424,
    "ModelErrorException",
    "The model failed",
    "API_SERVER_ERROR",
    True,
    None,
    service="bedrock-runtime",
)
aws_case(
    "bedrock model timeout",
    408,
    "ModelTimeoutException",
    "The model took too long",
    "NETWORK_TIMEOUT",
    True,
    True,
    service="bedrock-runtime",
)
aws_case(
    "bedrock quota",
    400,
    "ServiceQuotaExceededException",
    "Your quota is used up",
    "API_QUOTA_EXHAUSTED",
    False,
    False,
    service="bedrock-runtime",
)
cases.add("botocore: refused", lambda net: aws(net.refused), "NETWORK_REFUSED", True, False)
cases.add("botocore: name not found", lambda net: aws(net.nowhere), "NETWORK_ERROR", True, False)
cases.add(
    "botocore: read timeout",
    lambda net: aws(net.http.address("hang", hang), read_timeout=0.3),
    "NETWORK_TIMEOUT",
    True,
    True,
)
cases.add("botocore: connect timeout", lambda net: aws(net.deaf, connect_timeout=0.3), "NETWORK_TIMEOUT", True, False)
cases.add("botocore: hung up", lambda net: aws(net.http.address("hang_up", hang_up)), "NETWORK_ERROR", True, True)
cases.add("botocore: certificate", lambda net: aws(net.https.address("fine", answer(200))), "NETWORK_TLS", False, False)
cases.add(
    "botocore: body cut short", lambda net: aws(net.http.address("cut", cut_short), "s3"), "NETWORK_ERROR", True, True
)


@cases.case("botocore: wrong parameter", "API_INVALID_REQUEST|PROGRAMMING_ERROR|VALIDATION_ERROR", False, False)
def _(net):
    client = botocore.session.get_session().create_client(
        "dynamodb", region_name="x", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.get_item(Table="t")


@cases.case("botocore: no credentials", "API_AUTH_ERROR", False, False)
def _(net):
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session.register_component("credential_provider", botocore.credentials.CredentialResolver([]))
    session.create_client("dynamodb", region_name="x", endpoint_url=net.refused).list_tables()


# --- gRPC ------------------------------------------------------------------------------------------------------------


class _Aborting(grpc.GenericRpcHandler):
    """Answer /x/CODE with that code; the metadata of the call name details and push-back."""

    def service(self, details):
        code = details.method.rpartition("/")[2]
        told = dict(details.invocation_metadata)

        def handle(request, context):
            if code == "HANG":
                import time

                time.sleep(1.5)
            if code == "RAISE":
                raise KeyError("missing")
            if "pushback" in told:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", told["pushback"]),))
            context.abort(getattr(grpc.StatusCode, code), told.get("details", "no details"))

        return grpc.unary_unary_rpc_method_handler(handle)


def grpc_server():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_Aborting(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def rpc(target, code, timeout=3.0, request=b"", **metadata):
    with grpc.insecure_channel(target, options=[("grpc.enable_retries", 0)]) as channel:
        channel.unary_unary(f"/x/{code}")(request, timeout=timeout, metadata=tuple(metadata.items()))


def grpc_case(code, details, kinds, retry, executed, wait=None, **metadata):
    name = f"grpc: {code.lower()}" + (f" {details[:24]}" if details else "")
    cases.add(name, lambda net: rpc(net.grpc, code, details=details or "-", **metadata), kinds, retry, executed, wait)


grpc_case("UNAVAILABLE", "backend is draining", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
grpc_case("UNAVAILABLE", "overloaded", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None, 0.7, pushback="700")
grpc_case("UNAVAILABLE", "do not come back", "MODEL_OVERLOADED|API_SERVER_ERROR", False, None, pushback="-1")
grpc_case("RESOURCE_EXHAUSTED", "requests per minute", "API_RATE_LIMIT", True, False)
grpc_case("PERMISSION_DENIED", "", "API_AUTH_ERROR", False, False)
grpc_case("UNAUTHENTICATED", "bad token", "API_AUTH_ERROR", False, False)
grpc_case("NOT_FOUND", "", "API_NOT_FOUND", False, False)
grpc_case("ALREADY_EXISTS", "", "API_CONFLICT|BOOKING_CONFLICT", False, False)
grpc_case("ABORTED", "concurrent change", "API_CONFLICT", True, False)
grpc_case("INVALID_ARGUMENT", "timeout must be positive", "API_INVALID_REQUEST", False, False)
grpc_case("FAILED_PRECONDITION", "", "API_INVALID_REQUEST|API_CONFLICT", False, False)
grpc_case("UNIMPLEMENTED", "", "API_INVALID_REQUEST|API_NOT_FOUND|API_SERVER_ERROR", False, False)
grpc_case("INTERNAL", "", "API_SERVER_ERROR", True, True)
grpc_case("DATA_LOSS", "", "API_SERVER_ERROR", False, None)
grpc_case("RAISE", "", "API_SERVER_ERROR|UNKNOWN", None, True)
grpc_case("CANCELLED", "", "CANCELLED", False, None)
cases.add("grpc: deadline", lambda net: rpc(net.grpc, "HANG", timeout=0.3), "NETWORK_TIMEOUT", True, True)
cases.add("grpc: refused", lambda net: rpc(net.refused.removeprefix("http://"), "X"), "NETWORK_REFUSED", True, False)
cases.add("grpc: name not found", lambda net: rpc("nowhere.invalid:80", "X"), "NETWORK_ERROR", True, False)
cases.add(
    "grpc: hung up",
    lambda net: rpc(f"127.0.0.1:{net.mute.port}", "X", timeout=5),
    "NETWORK_ERROR|NETWORK_REFUSED|MODEL_OVERLOADED",
    True,
    None,
)


@cases.case("grpc: certificate", "NETWORK_TLS", False, False)
def _(net):
    with grpc.secure_channel(f"127.0.0.1:{net.https.port}", grpc.ssl_channel_credentials()) as channel:
        channel.unary_unary("/x/Y")(b"", timeout=2)


# --- google-api-core -------------------------------------------------------------------------------------------------


def google(address):
    raise google_errors.from_http_response(requests.post(address, timeout=5))


def google_case(status, message, reason, kinds, retry, executed, wait=None, headers=None, details=()):
    name = f"google: {status} {reason or message}"[:48]
    body = {
        "error": {
            "code": status,
            "message": message,
            "details": list(details),
            "errors": [{"reason": reason}] if reason else [],
        }
    }
    cases.add(
        name, lambda net: google(net.http.address(name, answer(status, headers, body))), kinds, retry, executed, wait
    )


google_case(400, "Invalid JSON payload", "badRequest", "API_INVALID_REQUEST", False, False)
google_case(401, "Request had invalid authentication credentials", "authError", "API_AUTH_ERROR", False, False)
google_case(403, "The caller does not have permission", "forbidden", "API_AUTH_ERROR", False, False)
google_case(403, "Rate Limit Exceeded", "rateLimitExceeded", "API_RATE_LIMIT", True, False)
google_case(404, "Not found: Table t", "notFound", "API_NOT_FOUND", False, False)
google_case(409, "Already Exists: Table t", "duplicate", "API_CONFLICT", None, False)
google_case(429, "Too many requests", "", "API_RATE_LIMIT", True, False, 9.0, headers={"Retry-After": "9"})
google_case(
    429,
    "Quota exceeded",
    "",
    "API_RATE_LIMIT|API_QUOTA_EXHAUSTED",
    None,
    False,
    31.5,
    details=[{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31.5s"}],
)
google_case(500, "Internal error", "backendError", "API_SERVER_ERROR", True, True)
google_case(503, "The service is currently unavailable", "", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
google_case(504, "Deadline", "", "API_SERVER_ERROR|NETWORK_TIMEOUT", True, True)


def google_rpc(net, code, details="-"):
    try:
        rpc(net.grpc, code, details=details)
    except grpc.RpcError as error:
        raise google_errors.from_grpc_error(error) from error


cases.add(
    "google: grpc resource exhausted",
    lambda net: google_rpc(net, "RESOURCE_EXHAUSTED", "requests per minute"),
    "API_RATE_LIMIT",
    True,
    False,
)
cases.add(
    "google: grpc unavailable",
    lambda net: google_rpc(net, "UNAVAILABLE"),
    "MODEL_OVERLOADED|API_SERVER_ERROR",
    True,
    None,
)
cases.add("google: grpc invalid", lambda net: google_rpc(net, "INVALID_ARGUMENT"), "API_INVALID_REQUEST", False, False)
cases.add("google: grpc aborted", lambda net: google_rpc(net, "ABORTED"), "API_CONFLICT", True, False)


@cases.case("google: gives up on 503", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None)
def _(net):
    address = net.http.address("g503", answer(503, {}, {"error": {"code": 503, "message": "busy"}}))
    google_retry.Retry(initial=0.01, timeout=0.1)(lambda: google_call(address))()


def google_call(address):
    raise google_errors.from_http_response(requests.post(address, timeout=5))


@cases.case("google: gives up at once on 400", "API_INVALID_REQUEST", False, False)
def _(net):
    address = net.http.address("g400", answer(400, {}, {"error": {"code": 400, "message": "timeout must be positive"}}))
    google_retry.Retry(initial=0.01, timeout=0.1)(lambda: google_call(address))()


# --- azure-core ------------------------------------------------------------------------------------------------------
from azure.core.exceptions import ClientAuthenticationError, ResourceExistsError, ResourceNotFoundError  # noqa: E402


def azure(address, **timeouts):
    client = PipelineClient(address, retry_policy=RetryPolicy.no_retries())
    found = client.send_request(HttpRequest("POST", address, json={}), **timeouts)
    map_error(
        found.status_code, found, {401: ClientAuthenticationError, 404: ResourceNotFoundError, 409: ResourceExistsError}
    )
    if found.status_code >= 400:
        raise HttpResponseError(response=found)


def azure_case(status, code, message, kinds, retry, executed, wait=None, headers=None, inner=None):
    name = f"azure: {status} {code}"
    body = {"error": {"code": code, "message": message} | ({"innererror": {"code": inner}} if inner else {})}
    cases.add(
        name, lambda net: azure(net.http.address(name, answer(status, headers, body))), kinds, retry, executed, wait
    )


azure_case(400, "InvalidRequest", "The request is not valid", "API_INVALID_REQUEST", False, False)
azure_case(
    400,
    "content_filter",
    "The response was filtered due to the prompt triggering the content management policy.",
    "MODEL_CONTENT_POLICY",
    False,
    False,
    inner="ResponsibleAIPolicyViolation",
)
azure_case(401, "Unauthorized", "Access token is missing", "API_AUTH_ERROR", False, False)
azure_case(403, "AuthorizationFailed", "The client does not have authorization", "API_AUTH_ERROR", False, False)
azure_case(
    404, "DeploymentNotFound", "The API deployment for this resource does not exist.", "API_NOT_FOUND", False, False
)
azure_case(409, "BlobAlreadyExists", "The specified blob already exists.", "API_CONFLICT", False, False)
azure_case(
    412, "ConditionNotMet", "The condition specified was not met.", "API_CONFLICT|API_INVALID_REQUEST", False, False
)
azure_case(
    429,
    "TooManyRequests",
    "Requests have exceeded the rate limit.",
    "API_RATE_LIMIT",
    True,
    False,
    3.0,
    headers={"x-ms-retry-after-ms": "3000"},
)
azure_case(
    429,
    "429",
    "Requests have exceeded call rate limit. Please retry after 24 seconds.",
    "API_RATE_LIMIT",
    True,
    False,
    24.0,
)
azure_case(500, "InternalError", "Server encountered an internal error.", "API_SERVER_ERROR", True, True)
azure_case(
    500,
    "OperationTimedOut",
    "The operation could not be completed in time.",
    "NETWORK_TIMEOUT|API_SERVER_ERROR",
    True,
    True,
)
azure_case(
    503,
    "ServerBusy",
    "The server is currently unable to receive requests.",
    "MODEL_OVERLOADED|API_SERVER_ERROR",
    True,
    None,
)
cases.add("azure: refused", lambda net: azure(net.refused), "NETWORK_REFUSED", True, False)
cases.add("azure: name not found", lambda net: azure(net.nowhere), "NETWORK_ERROR", True, False)
cases.add(
    "azure: read timeout",
    lambda net: azure(net.http.address("hang", hang), read_timeout=0.3),
    "NETWORK_TIMEOUT",
    True,
    True,
)
cases.add("azure: connect timeout", lambda net: azure(net.deaf, connection_timeout=0.3), "NETWORK_TIMEOUT", True, False)
cases.add("azure: reset", lambda net: azure(net.http.address("reset", reset)), "NETWORK_ERROR", True, True)
cases.add("azure: certificate", lambda net: azure(net.https.address("fine", answer(200))), "NETWORK_TLS", False, False)
