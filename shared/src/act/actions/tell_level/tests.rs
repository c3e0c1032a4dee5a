use super::*;

fn told(count: u128) -> Vec<TellLevel> {
    let one = |at| TellLevel {
        root: Uuid::from_u128(at),
        alarm: format!("alarm-{at}"),
        level: Level::L2,
        topic: None,
        message: format!("about {at}"),
    };
    (1..=count).map(one).collect()
}

#[test]
fn one_message_describes_a_few_and_counts_the_rest() {
    for (count, expected) in [
        (1, "about 1".to_owned()),
        (2, "[L2] 2 incidents are not resolved\n\nabout 1\n\nabout 2".to_owned()),
        (
            1000,
            "[L2] 1000 incidents are not resolved\n\nabout 1\n\nabout 2\n\nabout 3\n\nabout 4\n\nabout 5\n\n\
             … and 995 more: send {} to escalate for the list (report.incidents)"
                .to_owned(),
        ),
    ] {
        let actions = told(count);
        assert_eq!(message(Language::En, Level::L2, &actions.iter().collect::<Vec<_>>()), expected);
    }
}

#[test]
fn a_message_is_a_target_of_its_incident_and_level() {
    assert_eq!(told(1)[0].target(), "incident 00000000-0000-0000-0000-000000000001 L2");
}
