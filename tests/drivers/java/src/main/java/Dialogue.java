import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** What an application written with the Java driver does: connect, create, insert, select. */
public class Dialogue {
  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  public static void main(String[] arguments) {
    InetSocketAddress node = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    DriverConfigLoader config =
        DriverConfigLoader.programmaticBuilder()
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(30))
            .build();
    try (CqlSession session =
        CqlSession.builder()
            .addContactPoint(node)
            .withLocalDatacenter(System.getenv().getOrDefault("DIALOGUE_DATACENTER", "datacenter1"))
            .withConfigLoader(config)
            .build()) {
      session.execute("DROP KEYSPACE IF EXISTS dialogue_java");
      session.execute(
          "CREATE KEYSPACE dialogue_java WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
      session.execute("CREATE TYPE dialogue_java.address (street text, zip int)");
      session.execute(
          "CREATE TABLE dialogue_java.t (pk int, ck int, name text, tags set<text>, m map<text, int>,"
              + " home frozen<address>, PRIMARY KEY (pk, ck))");
      PreparedStatement insert =
          session.prepare("INSERT INTO dialogue_java.t (pk, ck, name, tags, m) VALUES (?, ?, ?, ?, ?)");
      for (int ck = 0; ck < 100; ck++) {
        session.execute(insert.bind(1, ck, "name " + ck, Set.of("a", "b"), Map.of("x", ck)));
      }
      session.execute(
          BatchStatement.newInstance(
              BatchType.LOGGED,
              insert.bind(2, 1, "one", Set.of(), Map.of()),
              insert.bind(2, 2, null, null, null)));
      session.execute("UPDATE dialogue_java.t SET home = {street: 'S', zip: 7} WHERE pk = 2 AND ck = 1");
      int seen = 0;
      for (Row row :
          session.execute(
              session.prepare("SELECT * FROM dialogue_java.t WHERE pk = ?").bind(1).setPageSize(7))) {
        check(row.getInt("ck") == seen, "order");
        check(row.getString("name").equals("name " + seen), "text");
        check(row.getSet("tags", String.class).equals(Set.of("a", "b")), "set");
        check(row.getMap("m", String.class, Integer.class).get("x") == seen, "map");
        seen++;
      }
      check(seen == 100, seen + " rows of 100");
      Row one = session.execute("SELECT name, home FROM dialogue_java.t WHERE pk = 2 AND ck = 1").one();
      check(one.getUdtValue("home").getInt("zip") == 7, "user type");
      check(
          session.execute("SELECT name FROM dialogue_java.t WHERE pk = 2 AND ck = 2").one().isNull("name"),
          "null");
      check(session.execute("SELECT count(*) FROM dialogue_java.t").one().getLong(0) == 102, "count");
      try {
        session.execute("SELECT nope FROM dialogue_java.t");
        throw new AssertionError("an unknown column must be refused");
      } catch (InvalidQueryException expected) {
        check(expected.getMessage().contains("nope"), "the message names the column");
      }
      check(
          session.getMetadata().getKeyspace("dialogue_java").get().getTable("t").get().getColumns().size() == 6,
          "metadata");
      System.out.println("java: connect, create, insert, select ok");
    }
  }
}
