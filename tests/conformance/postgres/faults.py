"""What "equals the real error" means: the same client program meets the same error twice, once made
by the server itself (a trigger that raises it), once injected, and behaves the same, there and in
the operations that follow; and the table holds the same rows afterwards.

    class MyTest(FaultCase):
        def test_x(self):
            self.same_as_real(client, at="row", query="INSERT INTO payments (id, note)*")

The client gets a DSN and returns whatever it saw. It runs without a fault (the control: its result
must differ), with the real one directly, and with the injected one through the proxy.
"""

import itertools
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from postgres_server import PostgresServer, skip  # noqa: E402,F401
from proxy_process import ProxyProcess  # noqa: E402

CODE, TEXT = "40001", "could not serialize access due to concurrent update"

# A row with a note is what the real fault hits: once, as the rule does. A failing transaction takes
# its own writes back, so the memory of it is a sequence.
SCHEMA = f"""
create table payments (id int primary key, note text);
create sequence faults;
create function fail_once() returns trigger language plpgsql as $$
begin
  if new.note is not null and nextval('faults') = 1 then
    raise exception '{TEXT}' using errcode = '{CODE}';
  end if;
  return new;
end $$;
create trigger row_fault before insert on payments for each row execute function fail_once();
create constraint trigger commit_fault after insert on payments deferrable initially deferred
  for each row execute function fail_once();
alter table payments disable trigger all;
"""


class FaultCase(unittest.TestCase):
    numbers = itertools.count(1)

    server = proxy = None

    @classmethod
    def setUpClass(cls):
        if FaultCase.server is None:  # One for all classes of a program.
            FaultCase.server = cls.enter(PostgresServer())
            cls.server.sql(SCHEMA, "grant all on payments, faults to public", dbname="app")
            FaultCase.proxy = cls.enter(ProxyProcess(cls.server.port, "postgres", record_all=True))

    @classmethod
    def enter(cls, context):
        entered = context.__enter__()
        unittest.addModuleCleanup(context.__exit__, None, None, None)
        return entered

    def armed(self, **rule):
        rule_id = f"rule-{next(self.numbers)}"  # What a rule has spent stays with its id.
        self.proxy.set_rules([{"id": rule_id, **rule}])
        self.addCleanup(self.proxy.set_rules, [])
        return rule_id

    def outcome(self, client, dsn, trigger=None):
        """What the client saw, and what the server then holds."""
        enable = f"; alter table payments enable trigger {trigger}_fault" if trigger else ""
        self.server.sql("truncate payments; alter sequence faults restart; "
                        "alter table payments disable trigger all" + enable, dbname="app")
        seen = client(dsn)
        rows = self.server.sql("select id, coalesce(note, '-') from payments order by id",
                               dbname="app")
        return seen, rows

    def same_as_real(self, client, at, query, **action):
        """`at`: "row" or "commit". Answers what the client saw."""
        direct, through = self.server.dsn(), self.server.dsn(port=self.proxy.port)
        control = self.outcome(client, direct)
        real = self.outcome(client, direct, trigger=at)
        self.assertNotEqual(real, control, "the fault makes no difference")
        self.assertEqual(self.outcome(client, through), control)
        rule_id = self.armed(trigger={"times": 1}, postgres={"query": query},
                             **(action or {"error": {"message": TEXT, "code": CODE}}))
        injected = self.outcome(client, through)
        tally = self.proxy.tallies()[rule_id]
        self.proxy.set_rules([])
        self.assertEqual(injected, real)
        self.assertEqual(tally["fired"], 1)
        self.assertEqual(self.proxy.counters()["connections_opaque"], 0)
        return injected
