"""Statements that make a real server send its errors: one for each SQLSTATE that a server can be
brought to send so; and why there is none for the rest of our table."""

# What the statements below need; run once, by the superuser, in the database `app`.
SCHEMA = """
create table parents (id int primary key);
create table children (parent int references parents);
create table required (id int not null, positive int check (positive > 0));
create table narrow (word varchar(2), bits bit(3));
create table apart (span int4range, exclude using gist (span with &&));
create table generated (id int generated always as identity);
create table private (id int);
create view few as select id from required where id < 10 with check option;
create sequence short maxvalue 2;
create function no_return() returns int language plpgsql as $$ begin end $$;
create function unclear(a int4, b numeric) returns int language sql as 'select 1';
create function unclear(a numeric, b int4) returns int language sql as 'select 1';
create type mood as enum ('a');
alter type mood owner to app;
create table locked (id int primary key, n int);
insert into parents values (1);
insert into children values (1);
insert into locked values (1, 0), (2, 0);
select nextval('short'), nextval('short');
grant all on parents, children, required, narrow, apart, generated, few, short, locked to public;
create role nobody login connection limit 0;
create role outside nologin;
"""

DEEP = "select " + " || ".join(["'x'"] * 200_000)
MANY = ", ".join(f"c{n} int" for n in range(1601))
ARGUMENTS = ", ".join(["1"] * 101)


def plpgsql(body):
    return f"do $$ {body} $$"


# Name of the condition, the statement; and what the session runs before it.
STATEMENTS = [
    ("feature_not_supported", "select count(*) from payments for update"),
    ("invalid_grant_operation", "grant usage on table payments to public"),
    ("case_not_found", plpgsql("begin case 1 when 2 then null; end case; end")),
    ("cardinality_violation", "select (select n from generate_series(1, 2) n)"),
    ("array_subscript_error", "select array_cat('{1}'::int[], '{{{1}}}'::int[])"),
    ("character_not_in_repertoire", "select convert_from('\\xff'::bytea, 'UTF8')"),
    ("datetime_field_overflow", "select '2026-02-30'::text::date"),
    ("division_by_zero", "select 1/0"),
    ("invalid_argument_for_logarithm", "select ln(0::float8)"),
    ("invalid_argument_for_ntile_function", "select ntile(0) over ()"),
    ("invalid_argument_for_nth_value_function", "select nth_value(1, 0) over ()"),
    ("invalid_argument_for_power_function", "select power(0::float8, -1)"),
    ("invalid_argument_for_width_bucket_function", "select width_bucket(1, 0, 10, 0)"),
    ("invalid_datetime_format", "select 'abc'::date"),
    ("invalid_escape_sequence", "select 'a' like '\\'"),
    ("invalid_use_of_escape_character",
     "select substring('abc' similar 'a#\"b#\"c#\"' escape '#')"),
    ("invalid_parameter_value", "select set_config('work_mem', 'x', false)"),
    ("invalid_preceding_or_following_size", "select sum(1) over (rows -1 preceding)"),
    ("invalid_regular_expression", "select 'a' ~ '('"),
    ("invalid_row_count_in_limit_clause", "select 1 limit -1"),
    ("invalid_row_count_in_result_offset_clause", "select 1 offset -1"),
    ("invalid_tablesample_argument", "select * from payments tablesample system (-1)"),
    ("invalid_tablesample_repeat",
     "select * from payments tablesample system (1) repeatable (null)"),
    ("invalid_time_zone_displacement_value", "select '2026-01-01 00:00:00+99'::timestamptz"),
    ("null_value_not_allowed", plpgsql("begin execute null; end")),
    ("numeric_value_out_of_range", "select 2147483647 + 1"),
    ("sequence_generator_limit_exceeded", "select nextval('short')"),
    ("string_data_length_mismatch", "insert into narrow (bits) values (b'1')"),
    ("string_data_right_truncation", "insert into narrow (word) values ('abc')"),
    ("substring_error", "select substring('abc', 1, -1)"),
    ("invalid_text_representation", "select 'abc'::int"),
    ("untranslatable_character", "select convert_to(chr(8594), 'LATIN1')"),
    ("invalid_argument_for_sql_json_datetime_function",
     "select jsonb_path_query('\"x\"', '$.datetime()')"),
    ("invalid_sql_json_subscript", "select jsonb_path_query('[1]', 'strict $[5]')"),
    ("non_numeric_sql_json_item", "select jsonb_path_query('\"a\"', '$.floor()')"),
    ("singleton_sql_json_item_required", "select jsonb_path_query('[1, 2]', '$[*] + 1')"),
    ("sql_json_array_not_found", "select jsonb_path_query('1', 'strict $[*]')"),
    ("sql_json_member_not_found", "select jsonb_path_query('{}', 'strict $.a')"),
    ("sql_json_number_not_found", "select jsonb_path_query('\"a\"', 'strict -$')"),
    ("sql_json_object_not_found", "select jsonb_path_query('1', 'strict $.keyvalue()')"),
    ("not_null_violation", "insert into required (id) values (null)"),
    ("foreign_key_violation", "insert into children values (77)"),
    ("unique_violation", "insert into parents values (1)"),
    ("check_violation", "insert into required values (1, -1)"),
    ("exclusion_violation", "insert into apart values ('[1,3)'), ('[2,4)')"),
    ("active_sql_transaction", "create database elsewhere", "begin"),
    ("read_only_sql_transaction", "insert into payments (id) values (9)",
     "set default_transaction_read_only = on"),
    ("no_active_sql_transaction", "savepoint s"),
    ("in_failed_sql_transaction", "select 1", "begin", "select 1/0"),
    ("invalid_sql_statement_name", "execute nosuch"),
    ("dependent_objects_still_exist", "drop table parents", "set role postgres"),
    ("invalid_transaction_termination", plpgsql("begin commit; end"), "begin"),
    ("function_executed_no_return_statement", "select no_return()"),
    ("invalid_cursor_name", "fetch from nosuch"),
    ("invalid_savepoint_specification", "release savepoint nosuch", "begin"),
    ("invalid_schema_name", "create table nosuch.t (id int)"),
    ("syntax_error", "selekt 1"),
    ("insufficient_privilege", "select * from private"),
    ("cannot_coerce", "select 1::point"),
    ("grouping_error", "select id, count(*) from payments"),
    ("windowing_error", "select 1 where row_number() over () = 1"),
    ("invalid_recursion", "with recursive r as (select * from r) select * from r"),
    ("invalid_foreign_key", "create table t (note text references payments (note))"),
    ("datatype_mismatch", "select case when 1 then 2 end"),
    ("collation_mismatch", "select 'a' collate \"C\" < 'b' collate \"POSIX\""),
    ("wrong_object_type", "drop view payments"),
    ("generated_always", "insert into generated (id) values (1)"),
    ("undefined_column", "select nosuch from payments"),
    ("undefined_function", "select nosuch()"),
    ("undefined_table", "select * from nosuch"),
    ("undefined_object", "select 1::nosuch"),
    ("duplicate_column", "create table t (a int, a int)"),
    ("duplicate_cursor", "declare c cursor for select 2", "begin",
     "declare c cursor for select 1"),
    ("duplicate_database", "create database app", "set role postgres"),
    ("duplicate_function", "create function no_return() returns int language sql as 'select 1'",
     "set role postgres"),
    ("duplicate_prepared_statement", "prepare p as select 2", "prepare p as select 1"),
    ("duplicate_schema", "create schema public", "set role postgres"),
    ("duplicate_table", "create table payments (id int)"),
    ("duplicate_alias", "select 1 from payments a, payments a"),
    ("duplicate_object", "create role app", "set role postgres"),
    ("ambiguous_column", "select id from payments a, payments b"),
    ("invalid_column_reference", "select distinct on (id) id from payments order by note"),
    ("invalid_table_definition", "create table t (a int primary key, b int primary key)"),
    ("with_check_option_violation", "insert into few values (77)"),
    ("program_limit_exceeded", "select repeat('x', 2000000000)"),
    ("statement_too_complex", DEEP),
    ("too_many_columns", f"create table t ({MANY})"),
    ("too_many_arguments", f"select nosuch({ARGUMENTS})"),
    ("object_not_in_prerequisite_state", "select currval('faults')"),
    ("object_in_use", "drop database app", "set role postgres"),
    ("cant_change_runtime_param", "select set_config('shared_buffers', '1', false)"),
    ("query_canceled", "select pg_sleep(60)", "set statement_timeout = 50"),
    ("undefined_file", "select pg_read_file('nosuch')", "set role postgres"),
    ("invalid_cursor_state", "update parents set id = 1 where current of c", "begin",
     "declare c cursor for select 1"),
    ("stacked_diagnostics_accessed_without_active_handler",
     plpgsql("declare t text; begin get stacked diagnostics t = message_text; end")),
    ("reserved_name", "create role pg_x", "set role postgres"),
    ("ambiguous_function", "select unclear(1, 1)"),
    ("invalid_function_definition",
     "create function f(out int) returns text language sql as 'select 1'", "set role postgres"),
    ("invalid_schema_definition", "create schema one create table two.t (a int)",
     "set role postgres"),
    ("unsafe_new_enum_value_usage", "select 'b'::mood", "begin", "alter type mood add value 'b'"),
    ("nonstandard_use_of_escape_character", "select 'a\\'b'", "set escape_string_warning = off",
     "set backslash_quote = off", "set standard_conforming_strings = off"),
    ("interval_field_overflow", "select interval '99999999999 years'"),
    ("invalid_xml_document", "select xmlparse(document '<a>')"),
    ("invalid_xml_content", "select xmlparse(content '<a>')"),
    ("invalid_xml_comment", "select xmlcomment('a--b')"),
    ("undefined_parameter", "select $1"),
    ("raise_exception", plpgsql("begin raise 'no'; end")),
    ("no_data_found", plpgsql("declare n int; begin select 1 into strict n where false; end")),
    ("too_many_rows",
     plpgsql("declare n int; begin select g into strict n from generate_series(1, 2) g; end")),
    ("assert_failure", plpgsql("begin assert false; end")),
]

SIMPLE_ONLY = ("undefined_parameter",)  # In the extended protocol that is a parameter.
# A server may have been built without it.
OPTIONAL = ("invalid_xml_document", "invalid_xml_content", "invalid_xml_comment")

# What one session's statement does not bring about: golden_test.py has the classes.
ELSEWHERE = {
    "lock_not_available": "Contention",
    "deadlock_detected": "Contention",
    "serialization_failure": "Contention",
    "admin_shutdown": "Ends",
    "idle_in_transaction_session_timeout": "Ends",
    "idle_session_timeout": "Ends",
    "too_many_connections": "Startup",
    "invalid_password": "Startup",
    "invalid_catalog_name": "Startup",
    "invalid_authorization_specification": "Startup",
}

# The rest of the table has no counterpart here: a code or its class, and why.
WITHOUT = {
    "00": "success", "01": "a warning", "02": "no data",
    "03": "embedded SQL in C", "08": "clients say it of connections, replication of its own",
    "09": "never raised", "0B": "of parallel work alone", "0F": "never raised",
    "0L000": "never raised by PostgreSQL 15", "0P": "of roles that vanish meanwhile",
    "0Z000": "never raised", "22000": "a class", "22005": "never raised", "2200B": "never raised",
    "22022": "embedded SQL in C", "22018": "never raised",
    "22019": "of COPY's options and of LIKE in odd encodings", "2200D": "never raised",
    "22010": "embedded SQL in C", "2200G": "never raised", "22002": "embedded SQL in C",
    "22027": "never raised", "22024": "embedded SQL in C", "2200F": "never raised",
    "22P01": "of machines that trap it", "22P03": "of values in binary that drivers get right",
    "22P04": "of COPY in binary", "22P07": "PostgreSQL has given it up", "2200L": "of libxml alone",
    "2200T": "of names that SQL's syntax refuses before",
    "22030": "newer than PostgreSQL 15", "22032": "newer than PostgreSQL 15",
    "22034": "newer than PostgreSQL 15", "22035": "newer than PostgreSQL 15",
    "22037": "never raised", "2203D": "never raised", "2203E": "never raised",
    "2203F": "newer than PostgreSQL 15", "2203G": "newer than PostgreSQL 15",
    "23000": "a class", "23001": "newer than PostgreSQL 17: until then it is 23503",
    "25000": "a class", "25002": "never raised", "25008": "never raised", "25003": "never raised",
    "25004": "never raised", "25005": "never raised", "25007": "never raised",
    "27": "of triggers and updates that meet: a race", "2B000": "2BP01 says it",
    "2F000": "a class", "2F002": "SQL functions say 0A000", "2F003": "of languages in C",
    "2F004": "of languages in C", "38": "of functions in C", "39": "of functions in C",
    "3B000": "a class", "40000": "a class", "40002": "never raised", "40003": "of two phases",
    "42000": "a class", "42602": "of encodings and labels", "42622": "the server cuts names",
    "42P18": "of polymorphic functions in C", "42P22": "of functions in C",
    "42P08": "of parameters whose types drivers say", "42P09": "never raised: 42702 is",
    "42611": "of partitions by hand", "42P11": "never raised by PostgreSQL 15's grammar",
    "42P12": "never raised", "42P14": "never raised by this grammar", "42P17": "of objects by hand",
    "53": "a machine without memory or room", "57000": "a class", "57P02": "a crash",
    "57P03": "a server that begins or ends: the texts are in Moments (late_errors_test.py)",
    "57P04": "of a standby", "58000": "a machine that fails", "58030": "a machine that fails",
    "58P02": "files that nobody makes", "72": "of a setting that PostgreSQL 17 has not",
    "F0": "at the server's own start", "HV": "foreign data wrappers say it", "P0000": "a class",
    "XX": "a broken server",
}
