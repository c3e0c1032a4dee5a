//! Which names give their values away.

/// Why a name's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A credential: one word, or one line.
    Secret,
    /// The same in a header: scheme and parameters are a part of it, so it is a line in any case.
    Header,
    /// A token: as a secret, but a parser's messages speak of tokens too (`Unexpected token '<'`).
    Token,
    /// As a token, but for a number: how many of a model's tokens there were.
    Tokens,
    /// What a user or a model has written: it may be long, and of many lines.
    Content,
}

/// Wherever they stand in a name.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "pswd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accountkey",
    "masterkey",
    "sharedkey",
    "subscriptionkey",
    "credential",
    "functionkey",
    "functionskey",
    "licensekey",
    "identifiedby",
    "sessionid",
    "パスワード",
    "ﾊﾟｽﾜｰﾄﾞ",
    "シークレット",
    "認証情報",
    "秘密鍵",
    "apiキー",
    "アクセスキー",
    "暗証番号",
];
const HEADERS: [&str; 2] = ["authorization", "cookie"];
/// At the end of a name.
const SECRET_ENDS: [&str; 5] = ["pass", "pw", "auth", "jwt", "signature"];
/// By themselves only.
const SECRET_WORDS: [&str; 4] = ["pin", "otp", "sig", "bearer"];
/// At the end of a name, in the plural as well.
const CONTENTS: &[&str] = &[
    "prompt",
    "messages",
    "content",
    "param",
    "parameter",
    "binding",
    "input",
    "output",
    "result",
    "body",
    "completion",
    "payload",
    "response",
    "text",
    "title",
    "description",
    "instruction",
    "question",
    "conversation",
    "transcript",
    "usermessage",
    "systemmessage",
    "assistantmessage",
    "prompttemplate",
    "プロンプト",
    "タイトル",
    "本文",
    "入力",
    "入力値",
    "入力内容",
    "出力",
    "応答",
    "回答",
    "レスポンス",
    "生成結果",
    "件名",
    "題名",
    "テキスト",
    "指示文",
    "質問文",
    "回答文",
];
/// Words that only end alike.
const OTHERS: [&str; 12] = [
    "bypass",
    "iamauth",
    "compass",
    "trespass",
    "surpass",
    "overpass",
    "underpass",
    "context",
    "pretext",
    "statustext",
    "statusdescription",
    "errordescription",
];
/// At the end of a name that says something about a secret: an error's code, a rule, a measure.
const ABOUT: [&str; 12] = [
    "exception",
    "error",
    "errors",
    "required",
    "expired",
    "invalid",
    "missing",
    "malformed",
    "enabled",
    "disabled",
    "length",
    "type",
];

/// At the start of a name that says what is wrong with a content: an error's code (`INVALID_INPUT`).
const WRONG: [&str; 6] = ["invalid", "missing", "malformed", "empty", "unexpected", "unparsable"];

/// Calls of AWS whose names end as a value's would: what follows one is what AWS said of it.
const CALLS: [&str; 2] = ["GetQueryResults", "GetSecretValue"];

impl Kind {
    /// Whether it is a credential of any sort.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret | Self::Header | Self::Token)
    }

    /// By the name's letters and digits alone, however wide: `API_KEY`, `x-api-key` and `apiKey` are the same, and `password2` is a
    /// `password`.
    pub(super) fn of(name: &str) -> Option<Self> {
        super::scan::look(name);
        if CALLS.contains(&name) {
            return None;
        }
        let name: String =
            name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(narrow).flat_map(char::to_lowercase).collect();
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let singular = name.strip_suffix('s').unwrap_or(name);
        // Every word of a text is asked: the first and the last letter tell nearly all of them apart.
        let begins =
            |text: &[u8], word: &str| text.first() == word.as_bytes().first() && text.starts_with(word.as_bytes());
        let has =
            |words: &[&str]| (0..name.len()).any(|at| words.iter().any(|word| begins(&name.as_bytes()[at..], word)));
        let ends_in = |name: &str, word: &str| name.as_bytes().last() == word.as_bytes().last() && name.ends_with(word);
        let ends = |words: &[&str]| words.iter().any(|word| ends_in(name, word) || ends_in(singular, word));
        if ends(&ABOUT) || ends(&OTHERS) {
            None
        } else if has(&HEADERS) {
            Some(Self::Header)
        } else if has(SECRETS) || ends(&SECRET_ENDS) || SECRET_WORDS.contains(&name) {
            Some(Self::Secret)
        } else if name.ends_with("token") {
            Some(Self::Token)
        } else if name.ends_with("tokens") || name.ends_with("トークン") {
            Some(Self::Tokens)
        } else if ends(CONTENTS) && !WRONG.iter().any(|wrong| name.starts_with(wrong)) {
            Some(Self::Content)
        } else {
            None
        }
    }
}

/// `ＰＡＳＳ` as `PASS`.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// What a Japanese sentence calls what it gives away.
pub(super) const TOLD_IN_JAPANESE: [&str; 9] = [
    "パスワード",
    "シークレット",
    "暗証番号",
    "認証情報",
    "APIキー",
    "アクセスキー",
    "トークン",
    "プロンプト",
    "タイトル",
];

/// What stands between that and its value.
pub(super) const PARTICLES: [char; 3] = ['は', 'が', 'を'];
