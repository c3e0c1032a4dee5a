use proptest::prelude::*;
use serde_json::json as value;

use super::*;

const ID: &str = "6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c";

#[test]
fn what_a_name_gives_away_goes_in_any_spelling() {
    for name in [
        "password",
        "PASSWORD",
        "db_password",
        "apiKey",
        "API_KEY",
        "x-api-key",
        "accessToken",
        "token",
        "secretArn",
        "Authorization",
        "cookie",
        "credentials",
        "AccessKeyId",
        "prompt",
        "systemPrompt",
        "system_prompt",
        "messages",
        "content",
        "params",
        "input",
        "output",
        "result",
        "results",
        "requestBody",
        "completion",
        "generationResult",
    ] {
        for hidden in [value!("s3cr3t"), value!(12345), value!(["s3cr3t"]), value!({ "a": "s3cr3t" })] {
            let redacted = json(&value!({ name: hidden, "status": "FAILED" }));
            assert_eq!(redacted, value!({ name: REDACTED, "status": "FAILED" }));
        }
        assert_eq!(json(&value!({ name: null })), value!({ name: null }), "nothing is hidden there");
    }
}

#[test]
fn names_that_only_sound_alike_keep_their_values() {
    for name in
        ["message", "code", "status", "progress", "contentType", "inputTokens", "max_tokens", "type", "keyboard"]
    {
        assert_eq!(json(&value!({ name: 7 })), value!({ name: 7 }), "{name}");
    }
    assert_eq!(json(&value!({ "refreshTokens": ["abc"] })), value!({ "refreshTokens": REDACTED }));
}

#[test]
fn what_is_nested_is_found() {
    let deep = value!([{ "error": { "code": "AI_ERROR", "details": [{ "input": "x" }], "message": "password=abc" } }]);
    let wanted = value!([{ "error": { "code": "AI_ERROR", "details": [{ "input": REDACTED }], "message": "password=[redacted]" } }]);
    assert_eq!(json(&deep), wanted);
}

#[test]
fn texts_lose_what_nobody_may_see() {
    for (before, after) in [
        // Names.
        ("password=hunter2 host=db", "password=[redacted] host=db"),
        ("https://x.test/?token=abc&page=2", "https://x.test/?token=[redacted]&page=2"),
        ("password: correct horse\nstatus: 500", "password: [redacted]\nstatus: 500"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]"),
        ("secret => 'a b' done", "secret => [redacted] done"),
        ("the bearer was Bearer abc.def ok", "the bearer [redacted] Bearer [redacted] ok"),
        ("prompt: write me\na poem", "prompt: [redacted]"),
        ("failed, prompt=write me a poem", "failed, prompt=[redacted]"),
        ("パスワード：ひみつ", "パスワード：[redacted]"),
        ("このプロンプト: 走る目標", "このプロンプト: [redacted]"),
        ("inputTokens: 512, outputTokens=3", "inputTokens: 512, outputTokens=3"),
        // JSON, and JSON within JSON, whole or cut.
        (r#"{"prompt":"a \"b\" c","x":1}"#, r#"{"prompt":[redacted],"x":1}"#),
        (r#"{"messages":[{"a":"]"}],"x":1}"#, r#"{"messages":[redacted],"x":1}"#),
        (r#"{"pwd": 12, "x": 1}"#, r#"{"pwd": [redacted], "x": 1}"#),
        (r#"{"m":"{\"prompt\":\"a \\\"b\\\" c\",\"x\":1}"}"#, r#"{"m":"{\"prompt\":[redacted],\"x\":1}"}"#),
        (r#"{"prompt":"cut"#, r#"{"prompt":[redacted]"#),
        // Shapes.
        ("AKIAIOSFODNN7EXAMPLE is denied", "[redacted] is denied"),
        ("key ASIAIOSFODNN7EXAMPLE.", "key [redacted]"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", REDACTED),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln", "[redacted].[redacted].c2ln"),
        ("d41d8cd98f00b204e9800998ecf8427e", REDACTED),
        ("postgres://app:hunter2@db:5432/app", "postgres://[redacted]@db:5432/app"),
        ("postgres://app:hun/ter@2@db/app", "postgres://[redacted]@db/app"),
        ("a://x,b://u:p@h", "a://[redacted]@h"),
        ("from taro.yamada+x@example.co.jp, please", "from [redacted], please"),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
}

#[test]
fn what_a_story_is_told_by_stays() {
    let arn = format!("arn:aws:states:ap-northeast-1:123456789012:execution:ai-processing:{ID}-1764000000000");
    for kept in [
        ID,
        &arn,
        "2026-11-24T01:00:00.123Z ERROR Bedrock APIでエラーが発生しました (AI_ERROR)",
        "ThrottlingException: Too many requests, please wait before trying again.",
        "connect ECONNREFUSED 10.0.0.5:5432",
        "https://example.com:8443/a/b?page=2",
        "/aws/lambda/ai-generation-worker",
        "Task timed out after 300.00 seconds",
        "1-5759e988-bd862e3fe1be46a994272793",
    ] {
        assert_eq!(text(kept), kept);
    }
}

#[test]
fn a_text_is_cut_after_what_nobody_may_see_is_gone() {
    assert_eq!(cut("password=hunter2 and more", 12), "password=[re…");
    assert_eq!(cut("ひみつではない", 3), "ひみつ…");
    assert_eq!(cut("short", 5), "short");
}

#[test]
fn secrets_are_known_by_any_of_their_names() {
    for (before, after) in [
        ("DB_PASS=hunter2 DB_HOST=db", "DB_PASS=[redacted] DB_HOST=db"),
        ("PGPASS=hunter2", "PGPASS=[redacted]"),
        ("PASS=hun&ter2&x", "PASS=[redacted]"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=[redacted] psql"),
        (r#"{"pass":"hunter2","user":"app"}"#, r#"{"pass":[redacted],"user":"app"}"#),
        (r#"{"dbPw": "hunter2", "n": 1}"#, r#"{"dbPw": [redacted], "n": 1}"#),
        ("passwd=hunter2, pwd=hunter2, pswd=hunter2", "passwd=[redacted] pwd=[redacted] pswd=[redacted]"),
        ("password2 = hunter2", "password2 = [redacted]"),
        ("PASS-PHRASE: a b c", "PASS-PHRASE: [redacted]"),
        ("api key: x, access key=y", "api key: [redacted]"),
        ("API KEY=x Secret Access Key=y", "API KEY=[redacted] Secret Access Key=[redacted]"),
        ("AccountKey=abc==;EndpointSuffix=x", "AccountKey=[redacted];EndpointSuffix=x"),
        ("pin=1234 otp=123456 jwt=abc", "pin=[redacted] otp=[redacted] jwt=[redacted]"),
        (r#"{"registry":{"auth":"dTpw"}}"#, r#"{"registry":{"auth":[redacted]}}"#),
        ("?sig=a%2Bb&se=2026", "?sig=[redacted]&se=2026"),
        ("パスワードはhunter2です", "パスワードは[redacted]です"),
        ("パスワードは「ひみつ」です", "パスワードは「[redacted]」です"),
        ("トークンが abc123 でした", "トークンが [redacted] でした"),
        // Said in a sentence.
        ("the password is hunter2.", "the password is [redacted]."),
        ("password is: hunter2", "password is: [redacted]"),
        ("Password was 'a b' before", "Password was [redacted] before"),
        (
            "the token is now abc, the api key was set to def!",
            "the token is now [redacted], the api key was set to [redacted]!",
        ),
        ("wrong password 'hunter2' for app", "wrong password [redacted] for app"),
        (r#"setPassword("hunter2")"#, "setPassword([redacted])"),
        ("ALTER USER app PASSWORD 'hunter2'", "ALTER USER app PASSWORD [redacted]"),
        ("the prompt was: a poem", "the prompt was: [redacted]"),
        ("password → hunter2", "password → [redacted]"),
        ("invalid password `hunter2`", "invalid password [redacted]"),
        ("curl -u app:hunter2 https://x.test", "curl -u [redacted] https://x.test"),
        ("psql --password hunter2 -p 5432", "psql --password [redacted] -p 5432"),
        ("login --token='a b' --user=x", "login --token=[redacted] --user=x"),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
}

#[test]
fn secrets_are_found_in_any_notation() {
    for (before, after) in [
        // XML, and XML within JSON.
        ("<password>hunter2</password><id>7</id>", "<password>[redacted]</password><id>7</id>"),
        (r#"<wsse:Password Type="text">hunter2</wsse:Password>!"#, "<wsse:Password[redacted]</wsse:Password>!"),
        ("<password><![CDATA[a<b]]></password>.", "<password>[redacted]</password>."),
        (r#"<user name="app" password="hunter2"/>"#, r#"<user name="app" password=[redacted]/>"#),
        (r#"<add key="DbPassword" value="hunter2"/>"#, r#"<add key="DbPassword" value=[redacted]/>"#),
        (r#"<entry key="password">hunter2</entry>"#, r#"<entry key="password">[redacted]</entry>"#),
        (r"<password>hunter2<\/password>, <i>", r"<password>[redacted]<\/password>, <i>"),
        (
            r"\u003cpassword\u003ehunter2\u003c/password\u003e ok",
            r"\u003cpassword\u003e[redacted]\u003c/password\u003e ok",
        ),
        ("&lt;password&gt;hunter2&lt;/password&gt; ok", "&lt;password&gt;[redacted]&lt;/password&gt; ok"),
        // JSON in ways of its own.
        (r#"{"name":"DB_PASSWORD","value":"hunter2"}"#, r#"{"name":"DB_PASSWORD","value":[redacted]}"#),
        (r#"{\"pass\":\"hunter2\",\"x\":1}"#, r#"{\"pass\":[redacted],\"x\":1}"#),
        (r#"{\\\"pass\\\":\\\"hun\\\\\\\"ter2\\\",\\\"x\\\":1}"#, r#"{\\\"pass\\\":[redacted],\\\"x\\\":1}"#),
        (
            r"{\u0022pass\u0022:\u0022hun\\\u0022ter2\u0022,\u0022x\u0022:1}",
            r"{\u0022pass\u0022:[redacted],\u0022x\u0022:1}",
        ),
        ("{&quot;pass&quot;:&quot;hunter2&quot;}", "{&quot;pass&quot;:[redacted]}"),
        ("{'password': 'hunter2', 'x': 1}", "{'password': [redacted], 'x': 1}"),
        ("{ credentials: { user: 'a', key: 'b' } }", "{ credentials: [redacted]"),
        // YAML and environment files.
        ("password: |\n  hunter2\n  hunter3\nuser: app", "password: [redacted]\nuser: app"),
        ("db:\n  password: >-\n    hunter2\n\n    hunter3\n  user: app", "db:\n  password: [redacted]\n  user: app"),
        ("password:\n  hunter2\nuser: app", "password:\n  [redacted]\nuser: app"),
        ("DB_PASS=\nDB_HOST=db", "DB_PASS=\nDB_HOST=db"),
        ("- name: DB_PASSWORD\n  value: hunter2\n- name: X", "- name: DB_PASSWORD\n  value: [redacted]\n- name: X"),
        ("[{ name: DB_PASSWORD, value: 'hunter2' }]", "[{ name: DB_PASSWORD, value: [redacted] }]"),
        // Connection strings.
        ("Server=db;Password=a b c;Timeout=30", "Server=db;Password=[redacted];Timeout=30"),
        ("Driver=x;PWD={a;b};Server=db", "Driver=x;PWD=[redacted]"),
        ("Host=db;Password=hunter2;", "Host=db;Password=[redacted];"),
        // URLs.
        ("redirect=%2F%3Ftoken%3Dabc%26page%3D2 next", "redirect=%2F%3Ftoken%3D[redacted] next"),
        ("%7B%22pass%22%3A%22hun%5C%22ter2%22%2C%22x%22%3A1%7D", "%7B%22pass%22%3A[redacted]%2C%22x%22%3A1%7D"),
        // Headers.
        ("Authorization=Bearer abc def\nHost: x", "Authorization=[redacted]\nHost: x"),
        (
            "Proxy-Authorization: Digest username=\"a\", response=\"b\"\nHost: x",
            "Proxy-Authorization: [redacted]\nHost: x",
        ),
        ("Set-Cookie: a=b; Path=/\nHost: x", "Set-Cookie: [redacted]\nHost: x"),
        ("cookie=a=b; c=d", "cookie=[redacted]"),
        (r#"["authorization","Basic dTpw"]"#, r#"["authorization",[redacted]]"#),
        ("sent Basic dXNlcjpwYXNz to the proxy", "sent Basic [redacted] to the proxy"),
        ("Basic authentication is required, see BASIC AUTH", "Basic authentication is required, see BASIC AUTH"),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
}

#[test]
fn no_notation_beside_these_hides_a_secret() {
    for (before, after) in [
        ("user[password]=hunter2&x=1", "user[password]=[redacted]&x=1"),
        ("user%5Bpassword%5D=hunter2&x=1", "user%5Bpassword%5D=[redacted]&x=1"),
        (r#"db["password"] = "hunter2";"#, r#"db["password"] = [redacted];"#),
        ("getPassword() = hunter2", "getPassword() = [redacted]"),
        ("password%20%3D%20hunter2 x", "password%20%3D%20[redacted] x"),
        ("password+=+hunter2", "password+=+[redacted]"),
        ("%257B%2522password%2522%253A%2522hunter2%2522%257D", "%257B%2522password%2522%253A[redacted]%257D"),
        ("password\\u003dhunter2 x", "password\\u003d[redacted]"),
        ("ＰＡＳＳＷＯＲＤ＝hunter2", "ＰＡＳＳＷＯＲＤ＝[redacted]"),
        ("ﾊﾟｽﾜｰﾄﾞ: hunter2", "ﾊﾟｽﾜｰﾄﾞ: [redacted]"),
        ("APIキー：hunter2", "APIキー：[redacted]"),
        ("パスワードを「hunter2」に変更しました", "パスワードを「[redacted]」に変更しました"),
        ("パスワードは、hunter2です", "パスワードは、[redacted]です"),
        ("パスワード（hunter2）", "パスワード（[redacted]）"),
        ("入力：走る", "入力：[redacted]"),
        ("wrong password hunter2 for app", "wrong password [redacted] for app"),
        ("token (hunter2) expired", "token ([redacted]) expired"),
        ("CREATE USER app IDENTIFIED BY 'hunter2'", "CREATE USER app IDENTIFIED BY [redacted]"),
        ("SET password = 'it''s hunter2', n = 1", "SET password = [redacted], n = 1"),
        ("rawHeaders: [ 'x-api-key', 'hunter2', 'host', 'a' ]", "rawHeaders: [ 'x-api-key', [redacted], 'host', 'a' ]"),
        ("Bearer%20hunter2 x", "Bearer%20[redacted] x"),
        ("<password >hunter2</password>", "<password >[redacted]</password>"),
        ("<db.password>hunter2</db.password>", "<db.password>[redacted]</db.password>"),
        ("%3Cpassword%3Ehunter2%3C%2Fpassword%3E", "%3Cpassword%3E[redacted]%3C%2Fpassword%3E"),
        (r"\u003Cpassword\u003Ehunter2\u003C/password\u003E", r"\u003Cpassword\u003E[redacted]\u003C/password\u003E"),
        // What is below a name in YAML.
        ("secrets:\n  db: a\n  api: hunter2\nuser: app", "secrets:\n  [redacted]\nuser: app"),
        ("passwords:\n- a\n- hunter2\nuser: app", "passwords:\n[redacted]\nuser: app"),
        ("password: a\n  hunter2\nuser: app", "password: [redacted]\nuser: app"),
        // What PostgreSQL says of a key.
        ("Key (title, user_id)=(a) b, 1) already exists.", "Key (title, user_id)=([redacted]) already exists."),
        ("Key (lower(email))=(taro) already exists.", "Key (lower(email))=([redacted]) already exists."),
        ("キー (title)=(走る) はすでに存在します。", "キー (title)=([redacted]"),
        ("unnamed portal parameter $1 = 'hunter2'", "unnamed portal parameter $1 = [redacted]"),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
    for kept in [
        "Key (process_id, n)=(6f1c9d1e-8b1c-4f6e-9d59-0a7f3f0a1b2c, 7) already exists.",
        "INVALID_INPUT: too long",
        "the secret arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db-AbCdEf is read",
        "パスワードを 3 回まちがえました",
    ] {
        assert_eq!(text(kept), kept);
    }
}

#[test]
fn json_that_is_a_text_stays_json_and_hides_nothing_by_escapes() {
    let cause = r#"{"errorMessage":"{\"code\":\"AI_ERROR\",\"p\\u0061ssword\":\"hunter2\",\"\\u30d7\\u30ed\\u30f3\\u30d7\\u30c8\":\"x\"}"}"#;
    let told: Value = serde_json::from_str(&document(cause)).unwrap();
    let inner: Value = serde_json::from_str(told["errorMessage"].as_str().unwrap()).unwrap();
    assert_eq!(inner, value!({ "code": "AI_ERROR", "password": REDACTED, "プロンプト": REDACTED }));
    assert_eq!(document("password=x"), "password=[redacted]");
    let untouched = r#"{ "a" : "b" }"#;
    assert_eq!(document(untouched), untouched);
    assert_eq!(json(&value!(["x-api-key", "hunter2", "host", "a"])), value!(["x-api-key", REDACTED, "host", "a"]));
    let of_a_stack = value!({ "ParameterKey": "DbPassword", "ParameterValue": "hunter2" });
    assert_eq!(json(&of_a_stack)["ParameterValue"], REDACTED);
}

#[test]
fn what_users_and_models_wrote_goes() {
    for (before, after) in [
        ("prompt: write me\na poem", "prompt: [redacted]"),
        ("failed, response = I would\nnot", "failed, response = [redacted]"),
        ("title: 走る", "title: [redacted]"),
        ("タイトル：走る", "タイトル：[redacted]"),
        ("プロンプトは「走る目標」でした", "プロンプトは「[redacted]」でした"),
        (r#"{"text":"a","code":"X"}"#, r#"{"text":[redacted],"code":"X"}"#),
        (r#"{"goalTitle":"a","inputText":["b"],"x":1}"#, r#"{"goalTitle":[redacted],"inputText":[redacted],"x":1}"#),
        (r#"{"description":{"ja":"a"},"x":1}"#, r#"{"description":[redacted],"x":1}"#),
        ("<title>a <b>c</b></title> next", "<title>[redacted]</title> next"),
        (r#"prompt "write a poem" was refused"#, "prompt [redacted] was refused"),
        (
            r#"$.error could not be found in the input '{"name":"it's","a":{"b":1}}'"#,
            "$.error could not be found in the input [redacted]'",
        ),
        (
            "the state 'A' (entered at the event id #9). The Parameters '{\"wish\":\"a b\"}' could not be used: [x]",
            "the state 'A' (entered at the event id #9). The Parameters [redacted]",
        ),
        (
            "the state 'A' (entered at the event id #9). Invalid path $['a'] of {\"wish\":\"a b\"}",
            "the state 'A' (entered at the event id #9). Invalid path $['a'] of [redacted]",
        ),
        (
            "the state 'A' (entered at the event id #9). The SecondsPath parameter is no number: found 'learn the violin'",
            "the state 'A' (entered at the event id #9). The SecondsPath parameter is no number: found [redacted]",
        ),
        (
            "the state 'A' (entered at the event id #9). The value learn the violin for path $.a is not an array",
            "the state 'A' (entered at the event id #9). The value [redacted]",
        ),
        (
            "the state 'A' (entered at the event id #9). The function 'States.StringToJson(\"learn\")' had the following error: x",
            "the state 'A' (entered at the event id #9). The function [redacted]",
        ),
        (
            "the state 'A' (entered at the event id #9). The function States.Format had the following error: learn the violin",
            "the state 'A' (entered at the event id #9). The function States.Format had the following error: [redacted]",
        ),
        (
            "INSERT INTO t VALUES ('learn (the', 2), (3, 'violin') RETURNING",
            "INSERT INTO t VALUES ([redacted]), ([redacted]) RETURNING",
        ),
        ("values('it''s')", "values([redacted])"),
        ("INSERT INTO t VALUES ('cut", "INSERT INTO t VALUES ([redacted]"),
        ("refused. Failing row contains (1, hunter2, a).", "refused. Failing row contains ([redacted]"),
        ("DETAIL: Parameters: $1 = 'hunter2', $2 = '1'", "DETAIL: Parameters: [redacted]"),
        ("DETAIL: Key (title)=(a b) already exists.", "DETAIL: Key (title)=([redacted]) already exists."),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
}

#[test]
fn secrets_are_known_by_their_shape() {
    for (before, after) in [
        ("connecting to app:hunter2@db:5432", "connecting to [redacted]@db:5432"),
        ("url=app:hun@ter2@db/x", "url=[redacted]@db/x"),
        ("taro@example.com:hunter2@db", "[redacted]@db"),
        ("redis://:hunter2@cache:6379/0", "redis://[redacted]@cache:6379/0"),
        ("https://ghp_0@github.com/x", "https://[redacted]@github.com/x"),
        (r"postgres:\/\/app:hunter2@db\/x", r"postgres:\/\/[redacted]@db\/x"),
        ("postgres%3A%2F%2Fapp%3Ahunter2%40db%3A5432", "[redacted]%40db%3A5432"),
        ("mail=taro%40example.com&x=1", "mail=[redacted]&x=1"),
        ("<taro@example.com>: a/b@example.co.jp.", "<[redacted]>: a/[redacted]."),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nnext", "[redacted]\nnext"),
        (r"key: '-----BEGIN PRIVATE KEY-----\nMIIE", "key: '[redacted]"),
        ("mysql -u app -phunter2 -h db", "mysql -u app -p[redacted] -h db"),
        ("/usr/bin/sshpass -p hunter2 ssh", "/usr/bin/sshpass -p [redacted] ssh"),
        ("password - hunter2 (old)", "password - [redacted] (old)"),
        ("glpat-abcDEF123456789xyz0 and sk-ant-abcdefgh0123456789", "[redacted] and [redacted]"),
        ("xoxb-123456789012-abcdefghijkl", REDACTED),
    ] {
        assert_eq!(text(before), after, "{before}");
    }
}

#[test]
fn what_people_need_stays() {
    for kept in [
        // Words that sound like secrets.
        "author: Taro, authority: none, authentication failed",
        "Too many tokens, please wait before trying again.",
        "The security token included in the request is expired",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "Unexpected token } in JSON at position 5",
        "password authentication failed for user \"app\"",
        "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
        "DATABASE_SECRET_ARN `db` must be the ARN of a secret",
        "the password is required; the token is not valid; your password was changed",
        "CredentialsProviderError: Could not load credentials from any providers",
        "passwordRequired: true, tokenType=bearer",
        "bypass=1 context: none, statusText: Service Unavailable",
        "hasPassword: true",
        r#"{"token":null,"secret":false,"result":null}"#,
        "Input is too long for requested model.",
        "the response is empty, the result was not valid JSON",
        "invalid input syntax for type uuid: \"x\"",
        "std::result::Result",
        "パスワードは正しくありません",
        "トークンは 512 個",
        "パスワードは8文字以上、タイトルは1文字以上200文字以内で入力してください",
        // Statements, whose values are elsewhere.
        "UPDATE processing_state SET status = $1, result = $2, title = ? WHERE token = $3",
        "UPDATE t SET title = …",
        // Names of ours, in sentences of ours.
        "table processing_state has no column `result`: it is needed as jsonb",
        "GetQueryResults: AccessDeniedException: not authorized",
        "GetSecretValue: ResourceNotFoundException: not found",
        "the row failed and has a result: the work was done, so it is not tried again",
        "DATABASE_URL must be of the form postgres://<user>:<password>@<host>:<port>/<database>",
        "DATABASE_USER and DATABASE_IAM_AUTH=true must be set",
        "INSERT INTO t (a, b) VALUES ($1, $2), (1, 2)",
        "mkdir -p x && psql -p 5432; mysql -h db; mkdir -p y",
        "the state 'A' (entered at the event id #9). The JSONPath '$.a' specified for the field 'b.$' could not be found in the context",
        "the state 'A' (entered at the event id #9). Invalid path '$.type': The choice state's condition path references an invalid value.",
        "the state 'A' (entered at the event id #9). The value for the field 'Seconds' must be a number",
        // Ids.
        "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:prod/db-AbCdEf",
        "arn:aws:lambda:ap-northeast-1:123456789012:function:AiProcessing-AiWorkerFn1A2B3C4D-AbCdEf123456:live",
        "/aws/lambda/Prod-AiWorkerFn12AB34CD-aBCDEFGH1JKL",
        "Prod-AiWorkerFn12AB34CD-aBCDEFGH1JKL is throttled",
        "MyApplicationStack-AiGenerationWorkerFuncti-kX9AbCdEf12Z",
        "public.ecr.aws/docker/library/postgres:17@sha256:abc",
        "at f (/var/task/node_modules/.pnpm/pg@8.11.3/node_modules/pg/lib/client.js:132:17)",
        "https://unpkg.com/react@18.2.0/index.js",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "SQLSTATE 57014, error code 503, after 18 h 10 min",
    ] {
        assert_eq!(text(kept), kept);
    }
    // What a Lambda function returns of its failure is no content, but what it holds may be.
    let kept = r#"Returned payload: {"errorMessage":"Task timed out after 300.00 seconds"}"#;
    assert_eq!(text(kept), kept);
    assert_eq!(
        text(r#"Returned payload: {"errorMessage":"no","prompt":"a"}"#),
        r#"Returned payload: {"errorMessage":"no","prompt":[redacted]}"#
    );
}

#[test]
fn a_value_that_stands_beside_its_name_goes() {
    let before = value!([{ "name": "DB_PASSWORD", "value": "a" }, { "Key": "x-api-key", "Value": 1 }, { "name": "x", "value": 1 }]);
    let after = value!([
        { "name": "DB_PASSWORD", "value": REDACTED }, { "Key": "x-api-key", "Value": REDACTED }, { "name": "x", "value": 1 },
    ]);
    assert_eq!(json(&before), after);
    assert_eq!(json(&value!({ "taro@example.com": { "pass": true } })), value!({ REDACTED: { "pass": true } }));
}

#[test]
fn json_that_is_nested_without_end_goes_where_it_is_too_deep() {
    let mut deep = value!({ "password": "hunter2" });
    for _ in 0..5000 {
        deep = Value::Array(vec![deep]);
    }
    assert_eq!(json(&deep).to_string(), format!("{}\"{REDACTED}\"{}", "[".repeat(DEPTH), "]".repeat(DEPTH)));
    // Such JSON cannot be dropped at once either.
    for _ in 0..5000 {
        deep = deep[0].take();
    }
}

/// A name that gives its value away, in some spelling.
fn telling_name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["password", "apiKey", "systemPrompt", "MESSAGES", "user_input", "output", "x-auth-token"])
        .prop_map(str::to_owned)
}

/// JSON that holds `hidden` under telling names only.
fn holding(hidden: Value) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        "[a-z ]{0,8}".prop_map(Value::from),
        telling_name().prop_map(move |name| value!({ name: hidden.clone() })),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| value!(map)),
        ]
    })
}

/// What is hidden: a mark that nothing else holds, among characters that are hard to read.
fn hidden() -> impl Strategy<Value = String> {
    ("[a-z\"'\\\\{}:,=\n ]{0,12}", "[a-z\"'\\\\{}:,=\n ]{0,12}")
        .prop_map(|(before, after)| format!("{before}ZZQZZ{after}"))
}

#[test]
fn what_follows_a_quoted_value_is_no_part_of_it_however_often_it_is_looked_at() {
    for (whole, redacted) in [
        ("passwordpassword=''password", "passwordpassword=[redacted]password"),
        ("password: 'x' was refused", "password: [redacted] was refused"),
    ] {
        assert_eq!(text(whole), redacted);
        assert_eq!(text(redacted), redacted);
    }
}

/// What a text may be made of that is hard to read, and hard to read quickly.
const PIECES: &str = "password¦pass¦DB_PASS¦api key¦key¦prompt¦title¦token¦tokens¦cookie¦authorization¦arn¦arn:aws:¦Bearer¦Basic¦is¦\
    was set to¦not¦value¦\"value\":¦パスワード¦は¦が¦「¦」¦x¦Ab1¦hunter2¦eyJ¦AKIA¦AKIAIOSFODNN7EXAMPLE¦\
    ABCDEFGHIJKLMNOPabcdefgh01234567¦taro@example.com¦sk-¦@¦://¦:¦::¦=¦=>¦)=(¦(¦)¦,¦;¦&¦&quot;¦&lt;¦&gt;¦<¦>¦</¦/>¦/¦\
    \\¦\\\\¦u0022¦\\u0022¦\\u003c¦\\u003e¦\"¦'¦`¦{¦}¦[¦]¦{'¦%¦%22¦%3D¦%3A¦%40¦%5C¦|¦|\n¦\n¦  ¦ ¦ ¦-¦--¦_¦.¦\
    -----BEGIN ¦-----END ¦Failing row contains (¦Parameters: $1 = ¦-u¦VALUES (¦values(¦'¦mysql ¦ -p¦(entered at the event id #¦ found ¦value ¦error: ¦→¦->¦, value: ¦[redacted]¦null¦true¦$1¦?¦…¦0¦errorMessage¦<password¦<password>¦\
    </password>¦u003cpassword";

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PIECES.split('¦').collect::<Vec<_>>())
}

fn pieces(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), length).prop_map(|pieces| pieces.concat())
}

/// How many bytes are looked at for each of a text: what is linear has a bound, however long the text.
fn effort(whole: &str) -> usize {
    scan::counted(|| drop(text(whole))) / whole.len().max(1)
}

/// For a text as hard as it can be, with some to spare.
const EFFORT: usize = 100;

#[test]
fn the_work_is_linear_whatever_the_text() {
    for (before, again, after) in [
        ("{\"prompt\":{", "\\", ""),
        ("{\"prompt\":{", "\\\\u", "\"}"),
        ("{\"prompt\":", "{\"a\":", ""),
        ("{\"prompt\":", "[", ""),
        ("{\"prompt\":", "{'", ""),
        ("", "{\"m\":\"{\\\"prompt\\\":", ""),
        ("\"password\":\"", "a\\\"", ""),
        ("", "\"password\":\\", ""),
        ("", "password ", ""),
        ("", "password", ""),
        ("password", " ", "=x"),
        ("", "password   \n", ""),
        ("", "password is ", ""),
        ("", "password=a", ";"),
        ("", "password=a ;", ""),
        ("", "<password", ""),
        ("", "<password ", ">"),
        ("", "<password>", "</passwor"),
        ("<password>", "password", ""),
        ("", "&lt;password&gt;password", ""),
        ("", "パスワードは", ""),
        ("", "パスワード", "は"),
        ("", "は", ""),
        ("", "--password ", ""),
        ("", "password: |\n  ", ""),
        ("password: |\n", "  a\n", ""),
        ("", "\"password\", ", ""),
        ("", "a@", "example"),
        ("", "a@example.com", ""),
        ("", "%40", ""),
        ("", "a:b@", ""),
        ("", "a%3Ab%", "%40"),
        ("", "://", "@"),
        ("", "arn:aws:", ""),
        ("", "arn:aws", ""),
        ("", "AKIA", ""),
        ("", "eyJ", ""),
        ("", "-----BEGIN ", ""),
        ("", "-----END ", ""),
        ("", "Failing row contains (", ""),
        ("", "password,", ""),
        ("", "password:\n ", ""),
        ("password:\n", "- a\n", ""),
        ("", ")=(", ""),
        ("", ")=(1)", ""),
        ("", "\"password\",\"", ""),
        ("", "--user=", ""),
        ("", "password%20", ""),
        ("", "password (", ""),
        ("", "password\n", ""),
        ("", "-u a:b", ""),
        ("", "VALUES (", ""),
        ("", "VALUES ('", ""),
        ("VALUES ", "(1), ", ""),
        ("mysql ", " -p", ""),
        ("", "mysql -p ", ""),
        ("(entered at the event id #", "found in ", ""),
        ("", "(entered at the event id #", ""),
        ("password=", "=", "; "),
        ("", "a", ""),
        ("", "漢", ""),
        ("", "-", ""),
        ("", "\u{0}", ""),
    ] {
        let effort = |times| effort(&format!("{before}{}{after}", again.repeat(times)));
        let efforts = [effort(1000), effort(2000), effort(4000)];
        assert!(efforts.iter().all(|effort| *effort <= EFFORT), "{before:?} {again:?} {after:?}: {efforts:?}");
    }
}

proptest! {
    #[test]
    fn nothing_hidden_in_json_survives(json in hidden().prop_flat_map(|hidden| holding(hidden.into()))) {
        prop_assert!(!super::json(&json).to_string().contains("ZZQZZ"));
    }

    #[test]
    fn nothing_hidden_in_a_line_of_json_survives_even_where_it_is_json_within_json(
        json in hidden().prop_flat_map(|hidden| holding(hidden.into())),
        cut in 0usize..200,
    ) {
        let line = json.to_string();
        let cut: String = line.chars().take(cut).collect();
        let within = value!({ "message": line }).to_string();
        for line in [&line, &cut, &within] {
            prop_assert!(!text(line).contains("ZZQZZ"), "{line} -> {}", text(line));
        }
    }

    #[test]
    fn any_text_is_taken_and_done_twice_is_the_same(
        any in "\\PC{0,40}",
        near in "(password|prompt|token|Bearer|eyJ|AKIA|[a-z@:=.\"'\\\\/\\[\\]{}, \n]|://){0,24}",
    ) {
        for whole in [any, near] {
            let once = text(&whole);
            prop_assert_eq!(text(&once), once);
        }
    }

    #[test]
    fn what_is_hard_to_read_is_taken_too(whole in pieces(0..24)) {
        let once = text(&whole);
        prop_assert_eq!(text(&once), &once[..], "{:?}", whole);
        prop_assert!(once.len() <= 4 * whole.len(), "{:?} -> {:?}", whole, once);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_repetition_makes_the_work_more_than_linear(before in pieces(0..4), again in pieces(1..5), after in pieces(0..3)) {
        let whole = format!("{before}{}{after}", again.repeat(800));
        prop_assert!(effort(&whole) <= EFFORT, "{} of {:?} {:?} {:?}", effort(&whole), before, again, after);
    }
}
