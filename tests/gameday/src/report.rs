//! What became of the day: a table on the terminal, a file for programs, a picture for people.

use std::fs;

use serde_json::{Value, json};

use crate::day::{Day, LeftOut, Verdict};
use crate::ledger::Action;
use crate::mode::Mode;
use crate::outcome::Outcome;
use crate::record;
use crate::second_act::Scene;
use crate::timeline::{Kind, Moment};

/// A table at the end.
pub fn table(day: &Day, mode: Mode) {
    let width = match mode {
        Mode::Act => 55,
        Mode::Observe => 80,
    };
    let line = |cells: [&str; 6]| {
        let [name, verdict, noticed, step, row, seconds] = cells;
        println!("{name:28} {verdict:6} {noticed:40} {step:25} {row:width$} {seconds:>7}");
    };
    println!();
    line(["fault", "", "noticed by", "step", heading(mode), "seconds"]);
    for verdict in &day.verdicts {
        line([
            verdict.fault,
            if verdict.problems.is_empty() { "ok" } else { "WRONG" },
            verdict.noticed.as_deref().unwrap_or("-"),
            verdict.step.as_deref().unwrap_or("-"),
            &became(verdict, mode),
            &verdict.seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1}")),
        ]);
        verdict.problems.iter().for_each(|problem| println!("{:28} {problem}", ""));
    }
    for left_out in &day.left_out {
        println!("{:28} left out: {}", left_out.fault, left_out.reason);
    }
    for scene in &day.scenes {
        println!("{:28} {:6} {}", scene.name, if scene.problems.is_empty() { "ok" } else { "WRONG" }, scene.story);
        scene.problems.iter().for_each(|problem| println!("{:28} {problem}", ""));
    }
    day.problems.iter().for_each(|problem| println!("beside the faults: {problem}"));
    println!("\n{} actions applied, {:.0} s", day.applied, day.seconds);
}

/// What is told of each fault.
const fn heading(mode: Mode) -> &'static str {
    match mode {
        Mode::Act => "row before → after",
        Mode::Observe => "what the record says",
    }
}

/// What became of the row, or would have been done.
fn became(verdict: &Verdict, mode: Mode) -> String {
    match mode {
        Mode::Act => format!("{} → {}", verdict.before, verdict.after),
        Mode::Observe => record::words(&verdict.record),
    }
}

/// `report.json` and `report.html` in `gameday` in the target folder.
pub fn files(day: &Day, mode: Mode) -> Outcome<()> {
    let folder = harness::paths::target().join("gameday");
    fs::create_dir_all(&folder)?;
    let json = json(day, mode);
    fs::write(folder.join("report.json"), format!("{json:#}\n"))?;
    let html = folder.join("report.html");
    fs::write(&html, page(day, mode))?;
    println!("{}", html.display());
    Ok(())
}

fn json(day: &Day, mode: Mode) -> Value {
    let fault = |verdict: &Verdict| {
        json!({
            "name": verdict.fault,
            "repaired": mode == Mode::Act && verdict.problems.is_empty(),
            "step": verdict.step,
            "secondsToRepair": verdict.seconds.filter(|_| mode == Mode::Act).map(tenths),
            "before": verdict.before,
            "after": verdict.after,
            "noticed": verdict.noticed,
            "wouldHave": verdict.record.iter().map(wanted).collect::<Vec<_>>(),
            "problems": verdict.problems,
        })
    };
    json!({
        "mode": mode.as_str(),
        "applied": day.applied,
        "seconds": tenths(day.seconds),
        "faults": day.verdicts.iter().map(fault).collect::<Vec<_>>(),
        "secondAct": day.scenes.iter().map(scene).collect::<Vec<_>>(),
        "leftOut": day.left_out.iter().map(|out| json!({"name": out.fault, "why": out.reason})).collect::<Vec<_>>(),
        "problems": day.problems,
    })
}

fn scene(scene: &Scene) -> Value {
    json!({"name": scene.name, "story": scene.story, "problems": scene.problems})
}

fn wanted(wanted: &Action) -> Value {
    let Action { step, kind, target, before, after, reason, .. } = wanted;
    json!({"step": step, "kind": kind, "target": target, "before": before, "after": after, "why": reason})
}

fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// Pixels for a fault's lane, for the names on the left, for the time beside them.
const LANE: usize = 40;
const NAMES: f64 = 190.0;
const TIME: f64 = 780.0;

fn page(day: &Day, mode: Mode) -> String {
    let right = day.verdicts.iter().filter(|verdict| verdict.problems.is_empty()).count();
    include_str!("report.html")
        .replace("{mode}", mode.as_str())
        .replace("{heading}", heading(mode))
        .replace("{right}", &right.to_string())
        .replace("{faults}", &day.verdicts.len().to_string())
        .replace("{applied}", &day.applied.to_string())
        .replace("{seconds}", &format!("{:.0}", day.seconds))
        .replace("{picture}", &picture(day))
        .replace("{left out}", &day.left_out.iter().map(left_out).collect::<String>())
        .replace("{rows}", &day.verdicts.iter().map(|verdict| row(verdict, mode)).collect::<String>())
        .replace("{moments}", &day.timeline.moments().iter().map(moment).collect::<String>())
        .replace(
            "{problems}",
            &day.problems.iter().map(|problem| format!("<p class=wrong>{}</p>", escape(problem))).collect::<String>(),
        )
}

/// A lane for every fault, a mark for every moment. The first seconds, in which events are answered, get as much room as
/// the minutes in which deadlines pass: the axis is that of the square root.
fn picture(day: &Day) -> String {
    let moments = day.timeline.moments();
    let end = moments.iter().map(|moment| moment.at).fold(10.0, f64::max);
    let x = |at: f64| NAMES + TIME * (at.max(0.0) / end).sqrt();
    let height = LANE * day.verdicts.len() + 30;
    let width = NAMES + TIME + 30.0;
    let mut svg = format!("<svg viewBox='0 0 {width} {height}' role=img aria-label='Timeline of the faults'>");
    for at in
        [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 150.0, 180.0].into_iter().filter(|at| *at <= end)
    {
        let (x, bottom, label) = (x(at), height - 24, height - 8);
        svg += &format!("<line class=grid x1={x:.1} x2={x:.1} y1=0 y2={bottom} />");
        svg += &format!("<text class=tick x={x:.1} y={label}>{at:.0} s</text>");
    }
    for (lane, verdict) in day.verdicts.iter().enumerate() {
        let y = lane * LANE + LANE / 2;
        let own: Vec<_> = moments.iter().filter(|moment| moment.fault == verdict.fault).collect();
        svg += &format!("<text class=name x=0 y={}>{}</text>", y + 4, verdict.fault);
        if let (Some(first), Some(last)) = (own.first(), own.last()) {
            let class = if verdict.problems.is_empty() { "span" } else { "span bad" };
            svg += &format!("<line class='{class}' x1={:.1} x2={:.1} y1={y} y2={y} />", x(first.at), x(last.at));
        }
        if let (Some(step), Some(last)) = (&verdict.step, own.last()) {
            // To the right of the last mark, or above the line where there is no room.
            let (dx, dy, anchor) = if last.at < end / 2.0 { (14.0, 4, "start") } else { (-14.0, -6, "end") };
            let (x, y, seconds) = (x(last.at) + dx, y.saturating_add_signed(dy), verdict.seconds.unwrap_or_default());
            svg += &format!("<text class=step x={x:.1} y={y} text-anchor={anchor}>{step}, {seconds:.1} s</text>");
        }
        for moment in own {
            svg += &mark(moment, x(moment.at), y);
        }
    }
    svg + "</svg>"
}

/// Marks of one moment lie above each other: noticed, acted, right.
fn mark(moment: &Moment, x: f64, y: usize) -> String {
    let Moment { at, kind, text, .. } = moment;
    let (y, radius) = match kind {
        Kind::Noticed => (y - 9, 4),
        Kind::Right => (y + 9, 4),
        Kind::Broke | Kind::Acted | Kind::Planned | Kind::Wrong => (y, 6),
    };
    let (class, word, text) = (class(*kind), kind.word(), escape(text));
    format!("<circle class={class} cx={x:.1} cy={y} r={radius}><title>{at:.1} s {word}: {text}</title></circle>")
}

const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Broke => "broke",
        Kind::Noticed => "noticed",
        Kind::Acted | Kind::Planned => "acted",
        Kind::Right => "right",
        Kind::Wrong => "wrong",
    }
}

fn row(verdict: &Verdict, mode: Mode) -> String {
    let (class, word) = if verdict.problems.is_empty() { ("right", "ok") } else { ("wrong", "wrong") };
    let problems = verdict.problems.iter().map(|problem| format!("<br><span class=wrong>{}</span>", escape(problem)));
    format!(
        "<tr><td><b>{}</b><br>{}{}</td><td class={class}>{word}</td><td>{}</td><td>{}</td><td>{}</td><td class=number>{}</td></tr>\n",
        verdict.fault,
        escape(verdict.story),
        problems.collect::<String>(),
        escape(verdict.noticed.as_deref().unwrap_or("–")),
        escape(verdict.step.as_deref().unwrap_or("–")),
        escape(&became(verdict, mode)),
        verdict.seconds.map_or("–".to_owned(), |seconds| format!("{seconds:.1}")),
    )
}

fn left_out(left_out: &LeftOut) -> String {
    format!("<p>{} was left out: {}</p>", left_out.fault, escape(left_out.reason))
}

fn moment(moment: &Moment) -> String {
    let Moment { at, fault, kind, text } = moment;
    let (class, word) = (class(*kind), kind.word());
    format!(
        "<tr><td class=number>{at:.1}</td><td>{fault}</td><td class={class}>{word}</td><td>{}</td></tr>\n",
        escape(text)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
