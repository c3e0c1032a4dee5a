//! The Bedrock models that functions are configured for.

/// The models that a function's environment names, by the ids that CloudWatch has them by: of a variable whose name says that it is about a
/// model, an id, or the end of an ARN. What is no id of a provider's that Bedrock has is none.
pub fn models_of<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    const PROVIDERS: [&str; 14] = [
        "ai21",
        "amazon",
        "anthropic",
        "cohere",
        "deepseek",
        "google",
        "meta",
        "minimax",
        "mistral",
        "moonshot",
        "openai",
        "qwen",
        "stability",
        "writer",
    ];
    let is_id = |id: &str| {
        let mut parts = id.split('.');
        // An inference profile's id begins with its regions: `apac.anthropic.…`.
        id.contains('.')
            && parts.by_ref().take(2).any(|part| PROVIDERS.contains(&part))
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_'))
    };
    let about_models = variables.filter(|(name, _)| name.to_ascii_uppercase().contains("MODEL"));
    let mut ids: Vec<String> = about_models
        .flat_map(|(_, value)| value.split(','))
        .map(|value| value.trim().rsplit('/').next().unwrap_or_default())
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
