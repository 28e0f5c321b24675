#pragma once

// What a server must have so that its changes can be streamed: made at the start, removed at the
// end.
//
// A publication of all tables, so that those are told that are created later. With it the server
// would refuse UPDATE and DELETE of tables that have no primary key; an event trigger gives those
// REPLICA IDENTITY FULL, which no program notices.

#include <string>

#include <libpq-fe.h>

#include "base/result.h"
#include "controller/observe/pgoutput.h"
#include "controller/steps/postgres_connection.h"

namespace misrule::controller {

/// Of the slot, the publication, the schema, the event trigger. A world's server is in no other.
inline constexpr const char* kWalName = "misrule_observer";
/// Of connections that observe: what they begin is not in the server's log.
inline constexpr const char* kWalOptions = "-c log_min_messages=fatal -c statement_timeout=0";

/// Makes everything, after what an earlier run left; the position where the stream begins.
/// kUnsupported says what the server lacks.
Result<pgoutput::Lsn> make_wal_slot(PGconn* connection, const Patience& patience);
Status remove_wal_slot(PGconn* connection, const Patience& patience);

/// Up to where commits are on the server's disk. Writes nothing.
Result<pgoutput::Lsn> flushed_lsn(PGconn* connection, const Patience& patience);

/// COPY BOTH begins, from that position on.
Status start_replication(PGconn* connection, pgoutput::Lsn from, const Patience& patience);

/// The SQLSTATE and what the server said: 'XX000: text'.
Error postgres_error(const PGresult* result);
/// The stream cannot go on, however often it is tried.
bool is_final(const Error& error);

}  // namespace misrule::controller
