use crate::domain::WORDS;
use chrono::DateTime;

use super::*;

const ID: &str = "10000000-0000-4000-8000-000000000001";

fn said(message: &str) -> Said {
    Said::of(&Line { at: DateTime::UNIX_EPOCH, stream: String::new(), message: message.to_owned() }, &WORDS)
}

#[test]
fn an_error_is_one_whoever_wrote_it() {
    // (line, code, its message, what the error says, whether it names the process)
    for (message, code, says, error, named) in [
        // Node.js: what nobody caught, and what the application logged itself.
        (
            "2026-11-29T11:55:29.478Z\tr\tERROR\tInvoke Error \t{\"errorType\":\"ReferenceError\",\"errorMessage\":\"x is not defined\",\"stack\":[]}",
            Some("ReferenceError"),
            Some("Invoke Error"),
            Some("x is not defined"),
            false,
        ),
        (
            "2026-11-29T11:55:29.478Z\tr\tERROR\tUnhandled Promise Rejection \t{\"errorType\":\"Runtime.UnhandledPromiseRejection\",\"errorMessage\":\"Error: refused\",\"reason\":{\"errorType\":\"Error\"}}",
            Some("Runtime.UnhandledPromiseRejection"),
            Some("Unhandled Promise Rejection"),
            Some("Error: refused"),
            false,
        ),
        (
            "2026-11-29T11:55:29.478Z\tundefined\tERROR\tUncaught Exception \t{\"errorType\":\"Runtime.ImportModuleError\",\"errorMessage\":\"x\"}",
            Some("Runtime.ImportModuleError"),
            Some("Uncaught Exception"),
            Some("x"),
            false,
        ),
        ("2026-11-29T11:55:29.478Z\tr\tERROR\tit broke", None, Some("it broke"), None, false),
        (
            r#"{"timestamp":"t","level":"ERROR","requestId":"r","message":{"errorType":"TypeError","errorMessage":"m","stackTrace":[]}}"#,
            Some("TypeError"),
            None,
            Some("m"),
            false,
        ),
        // Python.
        (
            "[ERROR] KeyError: 'a'\nTraceback (most recent call last):",
            Some("KeyError"),
            Some("KeyError: 'a'\nTraceback (most recent call last):"),
            None,
            false,
        ),
        ("[ERROR]\t2026-11-29T11:55:29.478Z\tr\tit broke", None, Some("it broke"), None, false),
        ("[CRITICAL]\t2026-11-29T11:55:29.478Z\tr\tit broke", None, Some("it broke"), None, false),
        (
            r#"{"timestamp":"t","level":"ERROR","message":"m","errorType":"KeyError","requestId":"r"}"#,
            Some("KeyError"),
            Some("m"),
            None,
            false,
        ),
        // Lambda itself.
        (
            "2026-11-29T11:55:29.478Z 8f5 Task timed out after 300.10 seconds",
            Some("Sandbox.Timedout"),
            Some("2026-11-29T11:55:29.478Z 8f5 Task timed out after 300.10 seconds"),
            None,
            false,
        ),
        (
            "RequestId: 8f5 Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            Some("Runtime.ExitError"),
            Some("RequestId: 8f5 Error: Runtime exited with error: signal: killed\nRuntime.ExitError"),
            None,
            false,
        ),
        (
            r#"{"time":"t","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":1.0,"memorySizeMB":1,"maxMemoryUsedMB":1},"status":"timeout"}}"#,
            Some("Sandbox.Timedout"),
            None,
            None,
            false,
        ),
        // The application's logger: flat, in whatever case; nested; behind the runtime's words; within Lambda's object.
        (
            r#"{"level":"Error","processId":"10000000-0000-4000-8000-000000000001","message":"m","error":{"code":"AI_ERROR","message":"e"}}"#,
            Some("AI_ERROR"),
            Some("m"),
            Some("e"),
            true,
        ),
        (
            r#"{"level":"error","action":"generate","context":{"processId":"10000000-0000-4000-8000-000000000001","error":"AI_ERROR: too many","stack":"at f"}}"#,
            Some("AI_ERROR"),
            Some("generate"),
            Some("AI_ERROR: too many"),
            true,
        ),
        (
            "t\tr\tINFO\t{\"level\":\"fatal\",\"message\":\"m\",\"context\":{\"processId\":\"10000000-0000-4000-8000-000000000001\",\"error\":{\"name\":\"TypeError\",\"message\":\"e\"}}}",
            Some("TypeError"),
            Some("m"),
            Some("e"),
            true,
        ),
        (
            r#"{"level":"ERROR","message":{"level":"error","context":{"processId":"10000000-0000-4000-8000-000000000001","action":"save","stack":"RangeError: r\n    at f"}}}"#,
            None,
            Some("save"),
            Some("RangeError: r"),
            true,
        ),
        (
            r#"{"level":"warn","message":"m","context":{"error":{"code":"AI_ERROR"}}}"#,
            Some("AI_ERROR"),
            Some("m"),
            None,
            false,
        ),
        // Other loggers' names: pino, Powertools for Python, Elastic's, Google's, an object as a text.
        (
            r#"{"level":50,"processId":"10000000-0000-4000-8000-000000000001","err":{"type":"ThrottlingException","message":"e"},"msg":"m"}"#,
            Some("ThrottlingException"),
            Some("m"),
            Some("e"),
            true,
        ),
        (
            r#"{"level":"ERROR","process_id":"10000000-0000-4000-8000-000000000001","message":"m","exception":"Traceback (most recent call last):\n  f\nKeyError: 'a'","exception_name":"KeyError"}"#,
            Some("KeyError"),
            Some("m"),
            Some("KeyError: 'a'"),
            true,
        ),
        (
            r#"{"log.level":"error","labels":{"processId":"10000000-0000-4000-8000-000000000001"},"message":"m","error":{"type":"E"}}"#,
            Some("E"),
            Some("m"),
            None,
            true,
        ),
        (r#"{"log":{"level":"error"},"message":"m"}"#, None, Some("m"), None, false),
        (
            r#"{"severity":"CRITICAL","message":"m","exception":"AI_ERROR: e"}"#,
            Some("AI_ERROR"),
            Some("m"),
            Some("AI_ERROR: e"),
            false,
        ),
        (
            r#"{"level":"INFO","message":"{\"level\":\"error\",\"processId\":\"10000000-0000-4000-8000-000000000001\",\"message\":\"m\"}"}"#,
            None,
            Some("m"),
            None,
            true,
        ),
        // A run whose memory was used up, in either format.
        (
            "REPORT RequestId: 8f5\tDuration: 1 ms\tStatus: error\tError Type: Runtime.OutOfMemory\n",
            Some("Runtime.OutOfMemory"),
            Some("REPORT RequestId: 8f5\tDuration: 1 ms\tStatus: error\tError Type: Runtime.OutOfMemory"),
            None,
            false,
        ),
        (
            r#"{"type":"platform.report","record":{"status":"error","errorType":"Runtime.OutOfMemory"}}"#,
            Some("Runtime.OutOfMemory"),
            None,
            None,
            false,
        ),
        // Words alone.
        (
            "t\tr\tERROR\tit failed for processId=10000000-0000-4000-8000-000000000001: KeyError: a",
            Some("KeyError"),
            Some("it failed for processId=10000000-0000-4000-8000-000000000001: KeyError: a"),
            None,
            true,
        ),
        ("KeyError: 'a'", Some("KeyError"), Some("KeyError: 'a'"), None, false),
        ("2026-11-29 ERROR it broke", None, Some("2026-11-29 ERROR it broke"), None, false),
    ] {
        let line = said(message);
        assert!(line.is_error(), "{message}");
        assert_eq!((line.code(&WORDS).as_deref(), line.message(), line.error()), (code, says, error), "{message}");
        assert_eq!(line.process(&WORDS), named.then(|| ID.parse().unwrap()), "{message}");
    }
}

#[test]
fn what_only_speaks_of_errors_is_none() {
    for message in [
        r#"{"level":"INFO","message":"no ERROR so far","error":null}"#,
        r#"{"level":"warn","message":"error rate is high","context":{"error":"x"}}"#,
        r#"{"message":"Task timed out, says the user"}"#,
        "2026-11-29T11:55:29.478Z\tr\tINFO\tno ERROR so far",
        "[WARNING]\t2026-11-29T11:55:29.478Z\tr\tKeyError is handled",
        "no error here",
        r#"{"level":30,"msg":"no error here"}"#,
        "it is handled: KeyError: a",
        "REPORT RequestId: 8f5\tDuration: 300000.00 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout",
        r#"{"time":"t","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":1.0,"memorySizeMB":1,"maxMemoryUsedMB":1},"status":"success"}}"#,
        "",
    ] {
        assert!(!said(message).is_error(), "{message}");
    }
}

#[test]
fn errors_are_looked_for_in_every_spelling() {
    let text = "?ERROR ?Error ?error ?FATAL ?fatal ?CRITICAL ?critical ?\"Task timed out\" ?\"Runtime exited\"";
    assert_eq!(error_patterns(Format::Text), [text, "{ $.level >= 50 }"]);
    let reports = "{ ($.level >= 50) || ($.type = \"platform.report\" && $.record.status != \"success\") }";
    assert_eq!(error_patterns(Format::Json), [text, reports]);
}

#[test]
fn a_profile_says_where_things_stand_in_a_line_of_an_applications_own_making() {
    let words = crate::domain::Words {
        logs: crate::domain::LogPaths {
            level: Some(&["meta", "how_bad"]),
            process: Some(&["job", "id"]),
            message: Some(&["what"]),
            error: Some(&["failure"]),
        },
        ..WORDS
    };
    let message = format!(
        r#"{{"meta":{{"how_bad":"ERROR"}},"job":{{"id":"{ID}"}},"what":"no answer","failure":{{"code":"AI_ERROR","message":"slow"}}}}"#
    );
    let line = Line { at: DateTime::UNIX_EPOCH, stream: String::new(), message };
    let said = Said::of(&line, &words);
    assert_eq!((said.level(), said.process(&words)), (Some(Level::Error), Some(ID.parse().unwrap())));
    assert_eq!((said.message(), said.error()), (Some("no answer"), Some("slow")));
    assert_eq!(said.code(&words).as_deref(), Some("AI_ERROR"));
    assert_eq!(said.own().and_then(|own| own["what"].as_str()), Some("no answer"));
    assert_eq!(Said::of(&line, &WORDS).process(&WORDS), None);
}
