import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.text.SimpleDateFormat;
import java.util.Arrays;
import java.util.Date;
import java.util.UUID;

/**
 * The calls of docs/integrating.md from Java 8 or later. JSON is read and written by Gson; any other library will do.
 *
 * <p>Arguments: address of the sidecar, folder of what is still to be told, deadline in milliseconds, character set.
 */
public final class Save {
    private static final String SERVICE = "/reminder.v1.ReminderService/";
    private static final String NOW = new SimpleDateFormat("yyyy-MM-dd HH:mm:ss").format(new Date());
    private static final String VISIT = "M" + UUID.randomUUID();
    private static final Gson GSON = new Gson();

    private static String address;
    private static File outbox;
    private static int deadlineMs;
    private static Charset charset;
    private static int told;
    private static int failures;
    private static long silentUntil;

    public static void main(String[] arguments) throws IOException {
        address = arguments[0];
        outbox = new File(arguments[1]);
        deadlineMs = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 300;
        charset = Charset.forName(arguments.length > 3 ? arguments[3] : "UTF-8");
        // By default the JDK sends a POST that broke off again by itself, for twice the time.
        System.setProperty("sun.net.http.retryPost", "false");
        System.setOut(new PrintStream(System.out, true, "UTF-8"));

        int before = waiting().length;
        deliver();
        if (before > 0) {
            System.out.println("delivered: " + (before - waiting().length));
        }

        // 1. An item is chosen: asked about alone, while the doctor types on.
        JsonObject[] lines = {
            line("L1", "ZD02AAF0221010105329", "妇乐胶囊", 1, 1000),
            line("L2", "XC02CXY165B002010102918", "银杏达莫注射液", 2, 4860),
            line("L3", "XA11DAW036A001010104127", "维生素B1片", 1, 1250),
        };
        check("select", "2", lines[0]);

        // 2. The prescription is about to be saved.
        JsonObject answer = check("save", "2", lines);
        if (answer != null && answer.get("decision").getAsString().equals("block")) {
            // The doctor leaves out what is blocked, and goes on with the rest for a reason.
            feedback(answer, "withdrawn", "overridden");
            lines = new JsonObject[] {lines[1], lines[2]};
            check("save", "2", lines);
        }
        // Here your own system saves. Then tell what was saved.
        JsonObject saved = new JsonObject();
        saved.add("prescription", prescription("2", lines));
        saved.addProperty("prescription_id", "RX1");
        saved.addProperty("revision", 1);
        saved.addProperty("saved_at", NOW);
        JsonObject kept = tell("RecordSaved", saved);
        System.out.println("saved: " + (kept == null ? "waits" : kept.get("stored").getAsBoolean() ? "stored" : "spooled"));

        // 3. A charge is entered.
        JsonObject charge = line("L4", "001102000040000", "门急诊留观诊查费", 2, 3000);
        answer = check("charge", "2", charge);
        if (answer != null && answer.getAsJsonArray("findings").size() > 0) {
            feedback(answer, "changed", "changed");
            check("charge", "2", line("L4", "001102000040000", "门急诊留观诊查费", 1, 3000));
        }

        // 4. Before settlement: everything that will be paid.
        check("settle", "7", lines);
    }

    /** Asks; null where nobody answered in time: then the prescription is saved as if there were no sidecar. */
    private static JsonObject check(String moment, String scene, JsonObject... lines) {
        JsonObject answer = null;
        if (System.currentTimeMillis() >= silentUntil) {
            try {
                answer = post("Check", prescription(scene, lines));
                failures = 0;
            } catch (IOException error) {
                System.err.println(moment + ": " + error.getMessage());
                // Three in a row without an answer: nobody waits for the sidecar during the next ten seconds.
                if (!(error instanceof RefusedException) && ++failures >= 3) {
                    silentUntil = System.currentTimeMillis() + 10_000;
                }
            }
        }
        System.out.println(moment + ": " + (answer == null ? "not checked" : answer.get("decision").getAsString()));
        for (JsonElement finding : answer == null ? new JsonArray() : answer.getAsJsonArray("findings")) {
            System.out.println("  " + joined(finding, "lines") + " " + finding.getAsJsonObject().get("message").getAsString());
        }
        return answer;
    }

    /** Tells what was done about each finding: one word for blocks, one for the others. */
    private static void feedback(JsonObject answer, String ofBlocks, String ofOthers) throws IOException {
        JsonArray items = new JsonArray();
        for (JsonElement element : answer.getAsJsonArray("findings")) {
            JsonObject finding = element.getAsJsonObject();
            String done = finding.get("action").getAsString().equals("block") ? ofBlocks : ofOthers;
            JsonObject item = new JsonObject();
            item.add("finding_id", finding.get("finding_id"));
            item.addProperty("done", done);
            if (done.equals("overridden")) {
                item.addProperty("reason_code", "outside_record");
                item.addProperty("reason_text", "外院脑梗死出院小结，患者已带来");
            }
            item.addProperty("done_at", NOW);
            item.addProperty("answer_ms", 5400);
            items.add(item);
        }
        JsonObject words = new JsonObject();
        words.addProperty("request_id", UUID.randomUUID().toString());
        words.addProperty("institution_id", "H00000000000");
        words.addProperty("doctor_id", "D000000000001");
        words.add("items", items);
        JsonObject kept = tell("RecordFeedback", words);
        StringBuilder statuses = new StringBuilder();
        for (JsonElement item : kept == null ? new JsonArray() : kept.getAsJsonArray("items")) {
            statuses.append(' ').append(item.getAsJsonObject().get("status").getAsString());
        }
        System.out.println("feedback:" + (kept == null ? " waits" : statuses));
    }

    /** Tells something that must arrive: written to the outbox first, sent now or later. Null: it waits. */
    private static JsonObject tell(String method, JsonObject message) throws IOException {
        // In order, and never the same twice; each process has a folder of its own.
        String name = String.format("%d-%04d-%s", System.currentTimeMillis(), told++, method);
        outbox.mkdirs();
        Path draft = new File(outbox, name + ".part").toPath();
        Files.write(draft, GSON.toJson(message).getBytes(StandardCharsets.UTF_8));
        File whole = new File(outbox, name + ".json");
        Files.move(draft, whole.toPath(), StandardCopyOption.ATOMIC_MOVE);
        JsonObject last = deliver();
        return whole.exists() ? null : last;
    }

    /** Sends what waits, oldest first; what it told before is known there and does no harm. The last answer. */
    private static JsonObject deliver() throws IOException {
        JsonObject last = null;
        for (File file : waiting()) {
            String method = file.getName().replaceAll(".*-(\\w+)\\.json", "$1");
            String text = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
            try {
                last = post(method, GSON.fromJson(text, JsonObject.class));
            } catch (RefusedException error) {
                System.err.println(file + ": " + error.getMessage());
                Files.move(file.toPath(), new File(outbox, file.getName() + ".refused").toPath());
                continue;
            } catch (IOException error) {
                System.err.println(file + ": " + error.getMessage());
                break;
            }
            Files.delete(file.toPath());
        }
        return last;
    }

    private static File[] waiting() {
        File[] files = outbox.listFiles((folder, name) -> name.endsWith(".json"));
        files = files == null ? new File[0] : files;
        Arrays.sort(files);
        return files;
    }

    private static JsonObject post(String method, JsonObject message) throws IOException {
        URL url = new URL(address + SERVICE + method);
        // A proxy set for the internet does not know the hospital's machines.
        HttpURLConnection connection = (HttpURLConnection) url.openConnection(Proxy.NO_PROXY);
        connection.setConnectTimeout(deadlineMs);
        connection.setReadTimeout(deadlineMs);
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/json; charset=" + charset.name());
        connection.setRequestProperty("reminder-deadline-ms", String.valueOf(deadlineMs));
        connection.getOutputStream().write(GSON.toJson(message).getBytes(charset));
        int status = connection.getResponseCode();
        String text = read(status < 400 ? connection.getInputStream() : connection.getErrorStream());
        if (status == 400 || status == 413) {
            throw new RefusedException(text);
        }
        if (status != 200) {
            throw new IOException("status " + status + " " + text);
        }
        return GSON.fromJson(text, JsonObject.class);
    }

    private static String read(InputStream stream) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] piece = new byte[8192];
        for (int n; stream != null && (n = stream.read(piece)) >= 0; ) {
            bytes.write(piece, 0, n);
        }
        return new String(bytes.toByteArray(), charset);
    }

    /** What is asked about; every further fact makes more rules decidable (docs/facts.md). */
    private static JsonObject prescription(String scene, JsonObject... lines) {
        String head = "{'institution_id': 'H00000000000', 'patient': {'sex': '男', 'birth_date': '1980-04-12'},"
            + " 'encounter': {'visit_mode': 'outpatient', 'insurance': ['employee'], 'institution_level': 3,"
            + " 'department_code': '0301', 'department_name': '内科', 'doctor_id': 'D000000000001',"
            + " 'diagnoses': [{'code': 'I10.x00', 'name': '高血压', 'main': true}]}}";
        JsonObject body = GSON.fromJson(head.replace('\'', '"'), JsonObject.class);
        // One question, one id: the same id asks for the answer it had.
        body.addProperty("request_id", UUID.randomUUID().toString());
        body.addProperty("time", NOW);
        body.add("scene", GSON.toJsonTree(new String[] {scene}));
        body.getAsJsonObject("patient").addProperty("id", "P-" + VISIT);
        JsonObject encounter = body.getAsJsonObject("encounter");
        encounter.addProperty("id", VISIT);
        encounter.addProperty("admitted_at", NOW);
        encounter.add("lines", GSON.toJsonTree(lines));
        return body;
    }

    private static JsonObject line(String id, String code, String name, int quantity, int fen) {
        JsonObject line = new JsonObject();
        line.addProperty("id", id);
        line.addProperty("code", code);
        line.addProperty("name", name);
        line.addProperty("begins", NOW);
        line.addProperty("quantity", quantity);
        line.addProperty("unit_price_fen", fen);
        line.addProperty("amount_fen", quantity * fen);
        return line;
    }

    private static String joined(JsonElement finding, String key) {
        return GSON.toJson(finding.getAsJsonObject().get(key)).replaceAll("[\\[\\]\"]", "");
    }

    /** The sidecar cannot use what was sent: sending it again would not help, somebody has to look. */
    private static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1;

        RefusedException(String text) {
            super(text);
        }
    }
}
