"""The types of this package against the OpenAPI document that the server shows."""

import json
import re
import typing
import unittest
import urllib.request

from softdd_task import BatchClient, OperatorBatchClient, OperatorClient, OperatorScheduleClient, ScheduleClient, batch_types, operator_types, schedule_types
from softdd_task.bulk_client import BulkClient

from .support import URL

#: Operation for operators -> its method. Those of BulkClient stand below, and Prometheus reads the metrics.
METHODS = {
    "operatorOverview": "overview",
    "operatorStats": "stats",
    "operatorListTasks": "list",
    "operatorGetTask": "task",
    "operatorUpdateTask": "update",
    "operatorRemoveTasks": "remove",
    "operatorListBulks": "list_bulks",
    "operatorListServices": "services",
    "operatorSetService": "set_service",
    "operatorListCallbacks": "callbacks",
    "operatorReplayCallback": "replay_callback",
    "operatorReplayCallbacks": "replay_callbacks",
    "operatorListWorkers": "workers",
}
BULKS = {"start": "operatorChangeTasks", "count": "operatorChangeTasks", "get": "operatorGetBulk"}
BULKS["abort"] = "operatorChangeBulk"
#: Method of both clients for schedules -> the operation of users, and with this word in it that of operators.
SCHEDULES = {
    "put": "setSchedule",
    "get": "getSchedule",
    "list": "listSchedules",
    "remove": "removeSchedule",
    "pause": "pauseSchedule",
    "resume": "resumeSchedule",
    "run": "runSchedule",
}
OPERATOR_SCHEDULES = {name: "operator" + of[0].upper() + of[1:] for name, of in SCHEDULES.items() if name != "put"}
#: Method of the client for batches -> its operation.
BATCHES = {
    "create": "createBatch",
    "get": "getBatch",
    "list": "listBatches",
    "add": "addToBatch",
    "seal": "changeBatch",
    "cancel": "changeBatch",
    "tasks": "listBatchTasks",
    "layers": "listBatchLayers",
}
OPERATOR_BATCHES = {
    name: "operator" + of[0].upper() + of[1:] for name, of in BATCHES.items() if name not in ("create", "add")
}
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


class TypesTest(unittest.TestCase):
    def setUp(self):
        with urllib.request.urlopen(URL + "/docs-json") as response:
            self.document = json.load(response)
        operations = [each for path in self.document["paths"].values() for each in path.values()]
        self.operations = {each["operationId"]: each for each in operations}

    def test_each_operation_for_operators_has_its_method(self):
        shown = {name for name in self.operations if name.startswith("operator") and not name.endswith("ByPost")}
        of_operators = {*METHODS, *BULKS.values(), *OPERATOR_SCHEDULES.values(), *OPERATOR_BATCHES.values()}
        self.assertEqual(shown - {"operatorMetrics"}, of_operators)
        self.assertEqual(self.public(OperatorClient), set(METHODS.values()))
        self.assertEqual(self.public(BulkClient), set(BULKS))
        self.assertEqual(self.public(ScheduleClient), set(SCHEDULES))
        self.assertEqual(self.public(OperatorScheduleClient), set(OPERATOR_SCHEDULES))

    def test_answers_are_those_of_the_document(self):
        for operation, name in METHODS.items():
            hint = typing.get_type_hints(getattr(OperatorClient, name))["return"]
            schema = self.answer(operation)
            if name in ("services", "workers"):
                schema = schema["properties"]["list"]
            self.assertEqual(list(self.differences(hint, schema, name)), [])
        for name, operation in BULKS.items():
            hint, schema = typing.get_type_hints(getattr(BulkClient, name))["return"], self.answer(operation)
            schema = schema["oneOf"][name == "count"] if "oneOf" in schema else schema
            self.assertEqual(list(self.differences(hint, schema, name)), [])

    def test_answers_of_schedules_are_those_of_the_document(self):
        for kind, operations in ((ScheduleClient, SCHEDULES), (OperatorScheduleClient, OPERATOR_SCHEDULES)):
            for name, operation in operations.items():
                if name != "run":  # It answers a task.
                    hint = typing.get_type_hints(getattr(kind, name))["return"]
                    self.assertEqual(list(self.differences(hint, self.answer(operation), name)), [])

    def test_batches_are_those_of_the_document(self):
        self.assertEqual(self.public(BatchClient), {*BATCHES, "wait"})
        self.assertEqual(self.public(OperatorBatchClient), set(OPERATOR_BATCHES))
        for kind, operations in ((BatchClient, BATCHES), (OperatorBatchClient, OPERATOR_BATCHES)):
            for name, operation in operations.items():
                hint = typing.get_type_hints(getattr(kind, name))["return"]
                self.assertEqual(list(self.differences(hint, self.answer(operation), name)), [])
        for kind, operation in (
            ("BatchQuery", "listBatches"),
            ("OperatorBatchQuery", "operatorListBatches"),
            ("BatchTaskQuery", "listBatchTasks"),
        ):
            schema = self.request(operation)
            schema["properties"].pop("batchId", None)  # It stands in the path.
            self.assertEqual(list(self.differences(getattr(batch_types, kind), schema, kind)), [])
        schema = self.document["components"]["schemas"]["batchTask"]
        self.assertEqual(list(self.differences(batch_types.BatchTask, schema, "batchTask")), [])

    def test_requests_of_schedules_are_those_of_the_document(self):
        settings = self.request("setSchedule")
        task = settings["properties"].pop("task")
        hints = typing.get_type_hints(schedule_types.ScheduleSettings)
        self.assertIn("task", hints)
        [name] = re.findall(r"scheduledTask", json.dumps(task))
        schema = self.document["components"]["schemas"][name]
        self.assertEqual(list(self.differences(schedule_types.ScheduledTask, schema, name)), [])
        self.assertEqual(set(hints) - {"task"}, set(settings["properties"]))

    def test_requests_are_those_of_the_document(self):
        for kind, operation in (
            ("StatsQuery", "operatorStats"),
            ("OperatorListQuery", "operatorListTasksByPost"),
            ("OperatorTaskChanges", "operatorUpdateTask"),
            ("PageQuery", "operatorListBulks"),
            ("ServiceChanges", "operatorSetService"),
            ("CallbackQuery", "operatorListCallbacks"),
            ("CallbackFilter", "operatorReplayCallbacks"),
            ("BulkRequest", "changeTasks"),
            ("OperatorBulkRequest", "operatorChangeTasks"),
        ):
            schema = self.request(operation)
            schema["properties"].pop("dryRun", None)  # The method `count` sends it.
            self.assertEqual(list(self.differences(getattr(operator_types, kind), schema, kind)), [])

    def test_would_tell_of_a_difference(self):
        schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
        either = typing.Union[str, int]
        kinds = [{"a": either}, {"a": int}, {"a": typing.Optional[str]}, {"b": str}, {"a": typing.List[str]}, {"a": str, "b": str}]
        for kind in (*kinds, {"a": typing.Literal["x"]}):
            wrong = typing.TypedDict("wrong", kind)
            self.assertNotEqual(list(self.differences(wrong, schema, "wrong")), [], kind)
        for total, differs in ((True, False), (False, True)):
            found = self.differences(typing.TypedDict("T", {"a": str}, total=total), schema, "T")
            self.assertEqual(bool(list(found)), differs)

    @staticmethod
    def public(kind):
        return {name for name in dir(kind) if callable(getattr(kind, name)) and not name.startswith("_")}

    def answer(self, operation):
        schema = self.operations[operation]["responses"]["200"]["content"]["application/json"]["schema"]
        return self.resolved(schema["properties"]["data"])

    def request(self, operation):
        body = self.operations[operation].get("requestBody")
        if body:
            return dict(self.resolved(body["content"]["application/json"]["schema"]))
        named = {each["name"]: each["schema"] for each in self.operations[operation]["parameters"]}
        return {"type": "object", "properties": named}

    def resolved(self, schema):
        [only] = schema.get("allOf") or [schema]
        reference = only.get("$ref")
        return self.document["components"]["schemas"][reference.rpartition("/")[2]] if reference else only

    def differences(self, hint, schema, where):
        """Yields where a type says something else than a schema."""
        schema, arguments = self.resolved(schema), typing.get_args(hint)
        options = schema.get("oneOf", [])
        may_be_null = any(one.get("nullable") for one in (schema, *options))
        if type(None) in arguments:
            if not may_be_null:
                yield "%s is never null" % where
            hint = typing.Union[tuple(one for one in arguments if one is not type(None))]
            arguments = typing.get_args(hint)
        elif may_be_null:
            yield "%s may be null" % where
        if typing.get_origin(hint) is typing.Union:
            if len(options) != len(arguments):
                yield "%s is one of %d" % (where, len(options))
            for one, option in zip(arguments, options):
                yield from self.differences(one, {**option, "nullable": False}, where)
            return
        if options:  # A list, or its JSON text.
            schema = options[0]
        if typing.get_origin(hint) is typing.Literal:
            if sorted(arguments) != sorted(filter(None, schema.get("enum", []))):
                yield "%s is one of %s" % (where, schema.get("enum"))
        elif typing.get_origin(hint) is list:
            if schema.get("type") != "array":
                yield "%s is %s" % (where, schema.get("type"))
            else:
                yield from self.differences(arguments[0], schema["items"], where + "[]")
        elif typing.get_origin(hint) is dict or schema.get("additionalProperties") is True:
            if schema.get("type") != "object":
                yield "%s is %s" % (where, schema.get("type"))
        elif hint in PLAIN:
            if PLAIN[hint] != schema.get("type"):
                yield "%s is %s" % (where, schema.get("type"))
        else:
            fields, properties = typing.get_type_hints(hint), schema.get("properties", {})
            if set(fields) != set(properties):
                yield "%s has %s" % (where, set(fields) ^ set(properties))
            if hint.__required_keys__ != set(schema.get("required", [])):
                yield "%s needs %s" % (where, hint.__required_keys__ ^ set(schema.get("required", [])))
            for name in set(fields) & set(properties):
                yield from self.differences(fields[name], properties[name], "%s.%s" % (where, name))
