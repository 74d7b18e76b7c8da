//! Help tells of all that there is, and of nothing that is not.

use std::ffi::OsString;

use super::*;

/// Every command, with the names that lead to it.
fn commands() -> Vec<(String, clap::Command)> {
    fn walk(path: &str, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        found.push((path.to_owned(), command.clone()));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            walk(&format!("{path} {}", inner.get_name()), inner, found);
        }
    }
    let mut command = Cli::command();
    command.build();
    let mut found = Vec::new();
    walk("certgate", &command, &mut found);
    found
}

/// The words of a line as a shell would take them, without its comment and without where its output goes.
fn words(line: &str) -> Vec<OsString> {
    let line = line.split(" #").next().unwrap().split(" | ").next().unwrap().trim();
    let quoted = line.split('\'').enumerate();
    let (mut words, mut is_open) = (Vec::<String>::new(), false);
    for (index, part) in quoted {
        if index % 2 == 1 {
            match words.last_mut().filter(|_| is_open) {
                Some(word) => word.push_str(part),
                None => words.push(part.to_owned()),
            }
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
            is_open = part.ends_with('=');
        }
    }
    words.into_iter().map(OsString::from).collect()
}

#[test]
fn every_command_and_every_flag_has_help() {
    let commands = commands();
    assert!(commands.len() > 25, "{}", commands.len());
    for (path, command) in commands {
        assert!(command.get_about().is_some(), "{path} says what it does");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {} says what it does", argument.get_id());
        }
        let is_leaf = !command.has_subcommands();
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(!is_leaf || examples.contains(&format!("\n  {path}")), "{path} has an example of itself");
    }
}

#[test]
fn every_example_is_a_command_line() {
    let mut count = 0;
    for (path, command) in commands() {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in text.lines().filter(|line| line.starts_with("  certgate")) {
            assert!(parse(words(line)).is_ok(), "{path}: {line}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

/// Flags that a help text names are flags of some command.
#[test]
fn every_flag_that_help_names_is_there() {
    let commands = commands();
    let mut flags: Vec<String> = commands
        .iter()
        .flat_map(|(_, command)| command.get_arguments().cloned().collect::<Vec<_>>())
        .filter_map(|argument| argument.get_long().map(str::to_owned))
        .collect();
    flags.push("help".to_owned());
    for (path, mut command) in commands {
        let help = command.render_long_help().to_string();
        let named = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter_map(|word| word.strip_prefix("--"));
        for flag in named.filter(|flag| !flag.is_empty()) {
            assert!(flags.iter().any(|known| known == flag), "{path}: --{flag}");
        }
    }
}
