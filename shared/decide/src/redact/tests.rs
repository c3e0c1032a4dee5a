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
}
