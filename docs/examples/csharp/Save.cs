using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Web.Script.Serialization;

/// <summary>
/// The calls of docs/integrating.md from .NET Framework 4 or Mono. Arguments: address of the sidecar, folder of what is
/// still to be told, deadline in milliseconds, character set (utf-8 or gbk).
/// </summary>
public static class Save
{
    const string Service = "/reminder.v1.ReminderService/";

    static readonly string Now = DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss");
    static readonly string Visit = "M" + Guid.NewGuid();
    static readonly JavaScriptSerializer Json = new JavaScriptSerializer { MaxJsonLength = int.MaxValue };

    static string address;
    static string outbox;
    static int deadlineMs;
    static Encoding encoding;
    static int told;
    static int failures;
    static DateTime silentUntil = DateTime.MinValue;

    public static void Main(string[] arguments)
    {
        address = arguments[0];
        outbox = arguments[1];
        deadlineMs = arguments.Length > 2 ? int.Parse(arguments[2]) : 300;
        encoding = arguments.Length > 3 && arguments[3] == "gbk" ? Encoding.GetEncoding(936) : new UTF8Encoding(false);
        // The default of two connections to one host makes the third window wait for the first.
        ServicePointManager.DefaultConnectionLimit = 32;
        // Without these a small POST waits for a "100 Continue" and for the packet before it.
        ServicePointManager.Expect100Continue = false;
        ServicePointManager.UseNagleAlgorithm = false;
        Console.OutputEncoding = new UTF8Encoding(false);
        Directory.CreateDirectory(outbox);

        int before = Waiting().Length;
        Deliver();
        if (before > 0) Console.WriteLine("delivered: " + (before - Waiting().Length));

        // 1. An item is chosen: asked about alone, while the doctor types on.
        var lines = new[]
        {
            Line("L1", "ZD02AAF0221010105329", "妇乐胶囊", 1, 1000),
            Line("L2", "XC02CXY165B002010102918", "银杏达莫注射液", 2, 4860),
            Line("L3", "XA11DAW036A001010104127", "维生素B1片", 1, 1250),
        };
        Check("select", "2", lines[0]);

        // 2. The prescription is about to be saved.
        var answer = Check("save", "2", lines);
        if (answer != null && (string)answer["decision"] == "block")
        {
            // The doctor leaves out what is blocked, and goes on with the rest for a reason.
            Feedback(answer, "withdrawn", "overridden");
            lines = lines.Skip(1).ToArray();
            Check("save", "2", lines);
        }
        // Here your own system saves. Then tell what was saved.
        var kept = Tell("RecordSaved", new Dictionary<string, object>
        {
            { "prescription", Prescription("2", lines) },
            { "prescription_id", "RX1" },
            { "revision", 1 },
            { "saved_at", Now },
        });
        Console.WriteLine("saved: " + (kept == null ? "waits" : (bool)kept["stored"] ? "stored" : "spooled"));

        // 3. A charge is entered.
        answer = Check("charge", "2", Line("L4", "001102000040000", "门急诊留观诊查费", 2, 3000));
        if (answer != null && Findings(answer).Any())
        {
            Feedback(answer, "changed", "changed");
            Check("charge", "2", Line("L4", "001102000040000", "门急诊留观诊查费", 1, 3000));
        }

        // 4. Before settlement: everything that will be paid.
        Check("settle", "7", lines);
    }

    /// <summary>Asks; null where nobody answered in time: then your system saves as if there were no sidecar.</summary>
    static Dictionary<string, object> Check(string moment, string scene, params Dictionary<string, object>[] lines)
    {
        Dictionary<string, object> answer = null;
        if (DateTime.Now >= silentUntil)
        {
            try
            {
                answer = Post("Check", Json.Serialize(Prescription(scene, lines)));
                failures = 0;
            }
            catch (Exception error)
            {
                Console.Error.WriteLine(moment + ": " + error.Message);
                // Three in a row without an answer: nobody waits for the sidecar during the next ten seconds.
                var web = error as WebException;
                bool answered = web != null && web.Response != null;
                if (!answered && ++failures >= 3) silentUntil = DateTime.Now.AddSeconds(10);
            }
        }
        Console.WriteLine(moment + ": " + (answer == null ? "not checked" : answer["decision"]));
        foreach (var finding in Findings(answer))
            Console.WriteLine("  " + string.Join(",", ((IEnumerable)finding["lines"]).Cast<string>()) + " " + finding["message"]);
        return answer;
    }

    /// <summary>Tells what was done about each finding: one word for blocks, one for the others.</summary>
    static void Feedback(Dictionary<string, object> answer, string ofBlocks, string ofOthers)
    {
        var items = new List<object>();
        foreach (var finding in Findings(answer))
        {
            string done = (string)finding["action"] == "block" ? ofBlocks : ofOthers;
            var item = new Dictionary<string, object>
            {
                { "finding_id", finding["finding_id"] }, { "done", done }, { "done_at", Now }, { "answer_ms", 5400 },
            };
            if (done == "overridden")
            {
                item["reason_code"] = "outside_record";
                item["reason_text"] = "外院脑梗死出院小结，患者已带来";
            }
            items.Add(item);
        }
        var kept = Tell("RecordFeedback", new Dictionary<string, object>
        {
            { "request_id", Guid.NewGuid().ToString() },
            { "institution_id", "H00000000000" },
            { "doctor_id", "D000000000001" },
            { "items", items },
        });
        var statuses = kept == null
            ? new[] { "waits" }
            : ((IEnumerable)kept["items"]).Cast<Dictionary<string, object>>().Select(item => (string)item["status"]);
        Console.WriteLine("feedback: " + string.Join(" ", statuses));
    }

    /// <summary>Tells something that must arrive: written to the outbox first, sent now or later. Null: it waits.</summary>
    static Dictionary<string, object> Tell(string method, object message)
    {
        // In order, and never the same twice; each process has a folder of its own.
        string name = string.Format("{0:yyyyMMddHHmmssfff}-{1:0000}-{2}.json", DateTime.Now, told++, method);
        string file = Path.Combine(outbox, name);
        File.WriteAllText(file + ".part", Json.Serialize(message));
        File.Move(file + ".part", file);
        var last = Deliver();
        return File.Exists(file) ? null : last;
    }

    /// <summary>Sends what waits, oldest first; what it told before is known there and does no harm.</summary>
    static Dictionary<string, object> Deliver()
    {
        Dictionary<string, object> last = null;
        foreach (string file in Waiting())
        {
            string method = Regex.Match(file, @"-(\w+)\.json$").Groups[1].Value;
            try
            {
                last = Post(method, File.ReadAllText(file));
                File.Delete(file);
            }
            catch (WebException error)
            {
                Console.Error.WriteLine(file + ": " + error.Message);
                var reply = error.Response as HttpWebResponse;
                int status = reply == null ? 0 : (int)reply.StatusCode;
                if (status != 400 && status != 413) break;
                // It cannot be used as it is; sending it again would not help, somebody has to look.
                File.Move(file, file + ".refused");
            }
        }
        return last;
    }

    static string[] Waiting()
    {
        return Directory.GetFiles(outbox, "*.json").OrderBy(file => file, StringComparer.Ordinal).ToArray();
    }

    static Dictionary<string, object> Post(string method, string message)
    {
        var request = (HttpWebRequest)WebRequest.Create(address + Service + method);
        request.Method = "POST";
        request.ContentType = "application/json; charset=" + encoding.WebName;
        // Looking for a proxy takes seconds at the first call, and a proxy does not know the hospital's machines.
        request.Proxy = null;
        request.Timeout = deadlineMs;
        request.ReadWriteTimeout = deadlineMs;
        request.Headers["reminder-deadline-ms"] = deadlineMs.ToString();
        byte[] bytes = encoding.GetBytes(message);
        using (var stream = request.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
        using (var reply = request.GetResponse())
        using (var reader = new StreamReader(reply.GetResponseStream(), encoding))
            return Json.Deserialize<Dictionary<string, object>>(reader.ReadToEnd());
    }

    /// <summary>What is asked about; every further fact makes more rules decidable (docs/facts.md).</summary>
    static Dictionary<string, object> Prescription(string scene, params Dictionary<string, object>[] lines)
    {
        return new Dictionary<string, object>
        {
            // One question, one id: the same id asks for the answer it had.
            { "request_id", Guid.NewGuid().ToString() },
            { "institution_id", "H00000000000" },
            { "time", Now },
            { "scene", new[] { scene } },
            { "patient", new { id = "P-" + Visit, sex = "男", birth_date = "1980-04-12" } },
            { "encounter", new Dictionary<string, object>
                {
                    { "id", Visit }, { "visit_mode", "outpatient" }, { "insurance", new[] { "employee" } },
                    { "institution_level", 3 }, { "admitted_at", Now }, { "department_code", "0301" },
                    { "department_name", "内科" }, { "doctor_id", "D000000000001" },
                    { "diagnoses", new[] { new { code = "I10.x00", name = "高血压", main = true } } },
                    { "lines", lines },
                }
            },
        };
    }

    static Dictionary<string, object> Line(string id, string code, string name, int quantity, int fen)
    {
        return new Dictionary<string, object>
        {
            { "id", id }, { "code", code }, { "name", name }, { "begins", Now }, { "quantity", quantity },
            { "unit_price_fen", fen }, { "amount_fen", quantity * fen },
        };
    }

    static IEnumerable<Dictionary<string, object>> Findings(Dictionary<string, object> answer)
    {
        return answer == null
            ? Enumerable.Empty<Dictionary<string, object>>()
            : ((IEnumerable)answer["findings"]).Cast<Dictionary<string, object>>();
    }
}
