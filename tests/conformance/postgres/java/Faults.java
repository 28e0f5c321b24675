// A Java program with pgjdbc that meets one error, and what it sees then: Faults URL MODE.

import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import org.postgresql.util.PSQLException;

class Faults {
    static final String FAULTED = "INSERT INTO payments (id, note) VALUES (?, ?)";

    interface Step {
        Object run() throws SQLException;
    }

    static void say(String what, Step step) {
        try {
            System.out.println(what + " " + step.run());
        } catch (BatchUpdateException error) {
            System.out.println(what + " BatchUpdateException " + error.getSQLState() + " "
                    + Arrays.toString(error.getUpdateCounts()) + " "
                    + of(error.getNextException()));
        } catch (SQLException error) {
            System.out.println(what + " " + of(error));
        }
    }

    static String of(SQLException error) {
        String more = "";
        if (error instanceof PSQLException refusal && refusal.getServerErrorMessage() != null) {
            more = " " + refusal.getServerErrorMessage().getSeverity() + " "
                    + refusal.getServerErrorMessage().getMessage();
        }
        return error == null ? "none"
                : error.getClass().getSimpleName() + " " + error.getSQLState() + more;
    }

    static Object one(Connection connection, String sql, Object... arguments) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; ++i) statement.setObject(i + 1, arguments[i]);
            if (!statement.execute()) return statement.getUpdateCount();
            try (ResultSet rows = statement.getResultSet()) {
                return rows.next() ? rows.getObject(1) : "no row";
            }
        }
    }

    static void nextFive(Connection connection) {
        say("first", () -> one(connection, "select ?::int", 77));
        say("second", () -> one(connection, "insert into payments (id) values (?)", 2));
        say("third", () -> one(connection, "select ?::text", "87"));
        say("fourth", () -> one(connection, "insert into payments (id) values (3)"));
        say("fifth", () -> one(connection, "select count(*) from payments"));
    }

    static void autocommit(Connection connection) {
        say("faulted", () -> one(connection, FAULTED, 10, "x"));
    }

    // After five uses the driver prepares it under a name of its own.
    static void prepared(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(FAULTED)) {
            for (int id = 10; id < 18; ++id) {
                statement.setInt(1, id);
                statement.setString(2, id == 17 ? "x" : null);
                say("faulted", statement::executeUpdate);
            }
        }
    }

    static void transaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        say("insert", () -> one(connection, "insert into payments (id) values (1)"));
        say("faulted", () -> one(connection, FAULTED, 10, "x"));
        say("behind", () -> one(connection, "select 5"));
        end(connection);
    }

    static void end(Connection connection) throws SQLException {
        say("commit", () -> { connection.commit(); return "done"; });
        connection.setAutoCommit(true);
    }

    static void batch(Connection connection, boolean inTransaction) throws SQLException {
        if (inTransaction) connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement(FAULTED)) {
            for (int id = 10; id < 15; ++id) {
                statement.setInt(1, id);
                statement.setString(2, "x");
                statement.addBatch();
            }
            say("batch", () -> Arrays.toString(statement.executeBatch()));
        }
        if (inTransaction) end(connection);
    }

    static void batchOfTexts(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.addBatch("insert into payments (id) values (1)");
            statement.addBatch("INSERT INTO payments (id, note) VALUES (10, 'x')");
            statement.addBatch("insert into payments (id) values (11)");
            say("batch", () -> Arrays.toString(statement.executeBatch()));
        }
    }

    // The driver sets savepoints by itself: what failed is undone, the transaction goes on.
    static void autosave(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        say("insert", () -> one(connection, "insert into payments (id) values (1)"));
        say("faulted", () -> one(connection, FAULTED, 10, "x"));
        say("77", () -> one(connection, "select 77"));
        say("87", () -> one(connection, "insert into payments (id) values (87)"));
        end(connection);
    }

    // Of SQL's own making: PREPARE names it, EXECUTE uses it.
    static void namedBySql(Connection connection) {
        say("prepare", () -> one(connection, "prepare p (int, text) as INSERT INTO payments"
                + " (id, note) VALUES ($1, $2)"));
        say("harmless", () -> one(connection, "execute p(9, null)"));
        say("faulted", () -> one(connection, "execute p(10, 'x')"));
        say("deallocate", () -> one(connection, "deallocate p"));
    }

    static void fetchSize(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(7);
            say("rows", () -> {
                long sum = 0;
                try (ResultSet rows = statement.executeQuery(
                        "select n from generate_series(1, 100) n")) {
                    while (rows.next()) sum += rows.getInt(1);
                }
                return sum;
            });
        }
        say("faulted", () -> one(connection, FAULTED, 10, "x"));
        end(connection);
    }

    static void timeout(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            long begun = System.nanoTime();
            say("held", () -> statement.execute("select pg_sleep(20)"));
            double took = (System.nanoTime() - begun) / 1e9;
            System.out.println(took >= 0.9 && took < 15 ? "in time" : "took " + took);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String more = arguments[1].equals("autosave") ? "&autosave=always" : "";
        try (Connection connection = DriverManager.getConnection(arguments[0] + more)) {
            switch (arguments[1]) {
                case "autocommit" -> autocommit(connection);
                case "prepared" -> prepared(connection);
                case "transaction", "commit" -> transaction(connection);
                case "batch" -> batch(connection, false);
                case "batch-transaction" -> batch(connection, true);
                case "batch-texts" -> batchOfTexts(connection);
                case "autosave" -> autosave(connection);
                case "named" -> namedBySql(connection);
                case "fetch" -> fetchSize(connection);
                case "timeout" -> timeout(connection);
                default -> throw new IllegalArgumentException(arguments[1]);
            }
            nextFive(connection);
        }
    }
}
