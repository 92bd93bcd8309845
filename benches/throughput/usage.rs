//! Processor time and memory of processes with all that they have started, from `/proc` (proc(5)).

use std::collections::HashMap;
use std::fs;

/// Clock ticks in a second: what Linux shows to programs is 100 on every architecture in use.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process and all its descendants have used so far.
pub(crate) fn cpu_seconds(root: u32) -> f64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut used: HashMap<u32, f64> = HashMap::new();
    for entry in fs::read_dir("/proc").expect("proc").flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in parentheses may hold anything; what follows it is plain.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let parent = fields.get(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        children.entry(parent).or_default().push(process);
        // Own time, and that of children that have ended and were waited for.
        used.insert(process, (number(11) + number(12) + number(13) + number(14)) / TICKS);
    }
    let mut total = 0.0;
    let mut waiting = vec![root];
    while let Some(process) = waiting.pop() {
        total += used.get(&process).copied().unwrap_or(0.0);
        waiting.extend(children.get(&process).into_iter().flatten());
    }
    total
}

/// Memory of a process now, and the most that it has had at once, in mebibytes.
pub(crate) fn memory(process: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("status");
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).expect("a number") / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}
