"""Runs one step when the stack is deployed, and makes the deployment fail where the step does."""

import json
import urllib.request

import botocore.config
import botocore.session


def handler(event, context):
    try:
        # Nothing to take back: what a step did at deployment, tables above all, outlives the stack.
        if event["RequestType"] != "Delete":
            run(event["ResourceProperties"])
        answer = {"Status": "SUCCESS"}
    except Exception as error:
        print(json.dumps({"level": "ERROR", "message": f"{type(error).__name__}: {error}"}))
        answer = {"Status": "FAILED", "Reason": str(error)[:1000]}
    respond(event, answer)


def run(properties):
    # A second call would find the first still at work, so there is none: wait for as long as the step may take.
    patience = botocore.config.Config(
        read_timeout=int(properties["TimeoutSeconds"]), retries={"total_max_attempts": 1}
    )
    client = botocore.session.get_session().create_client("lambda", config=patience)
    result = client.invoke(FunctionName=properties["FunctionName"], Payload=properties["Event"])
    body = result["Payload"].read().decode()
    if "FunctionError" in result:
        raise RuntimeError(f"{properties['FunctionName']}: {body}")


def respond(event, answer):
    answer |= {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = event["LogicalResourceId"]
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=30).close()
