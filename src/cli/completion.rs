//! `packmule completion`: prints completions for bash, zsh and fish, made from the table of commands.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flag, Flags, flags};
use super::operands::Operands;
use super::value::Kind;
use super::{stdio, usage};
use anyhow::bail;
use std::ffi::OsString;
use std::fmt::Write;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "completion",
    face: Face::Own,
    about: "print shell completions",
    usage: &["bash|zsh|fish"],
    operands: Operands::these("bash|zsh|fish"),
    notes: "For example: packmule completion bash > /etc/bash_completion.d/packmule",
    flags: Args::declared,
    start: |call| call.run(|_: &Args, operands| run(call.commands, operands)),
};

flags! {
    /// The flags of `packmule completion`: none.
    pub(crate) struct Args {}
}

fn run(table: &'static [Command], operands: &[OsString]) -> anyhow::Result<Exit> {
    let [shell] = operands else { return Err(WrongUsage.into()) };
    stdio::print(&match shell.to_str() {
        Some("bash") => bash(table),
        Some("zsh") => zsh(table),
        Some("fish") => fish(table),
        _ => bail!("no completions for {:?}: give bash, zsh or fish", shell.display()),
    });
    Ok(Exit::Done)
}

const NICENESS: &str = "F P N B MAX";

fn commands(table: &'static [Command]) -> impl Iterator<Item = &'static Command> {
    table.iter().filter(|command| command.face != Face::Hidden)
}

fn reference(table: &'static [Command]) -> impl Iterator<Item = &'static Command> {
    table.iter().filter(|command| command.face == Face::Reference)
}

fn names(commands: impl Iterator<Item = &'static Command>, prefix: &str) -> String {
    commands.map(|command| format!("{prefix}{}", command.name)).collect::<Vec<_>>().join(" ")
}

/// The flags of a command whose values are of the chosen kinds, on one line.
fn dashed(command: &Command, kind: impl Fn(Kind) -> bool, between: &str) -> String {
    let flags = usage::all_flags(command);
    let chosen = flags.iter().filter(|flag| kind(flag.kind));
    chosen.map(|flag| format!("-{}", flag.name)).collect::<Vec<_>>().join(between)
}

fn bash(table: &'static [Command]) -> String {
    let mut out = String::from(
        "# bash completion for packmule and the nncp-* names\n\
         _packmule() {\n\
         \x20   local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n\
         \x20   local name=${COMP_WORDS[0]##*/} flags= paths= nice= values=\n\
         \x20   if [[ $name == packmule ]]; then\n",
    );
    let all = names(commands(table), "");
    let _ = writeln!(
        out,
        "        if ((COMP_CWORD == 1)); then\n\
         \x20           COMPREPLY=($(compgen -W '{all}' -- \"$cur\"))\n\
         \x20           return\n\
         \x20       fi\n\
         \x20       name=${{COMP_WORDS[1]}}\n\
         \x20   fi\n\
         \x20   case ${{name#nncp-}} in"
    );
    // Help and completion take no files: their words are completed below.
    for command in commands(table).filter(|command| !["help", "completion"].contains(&command.name))
    {
        let flags = dashed(command, |_| true, " ");
        let paths = dashed(command, |kind| kind == Kind::Path, " ");
        let nice = dashed(command, |kind| kind == Kind::Niceness, " ");
        let values = dashed(
            command,
            |kind| matches!(kind, Kind::Text | Kind::Node | Kind::Integer | Kind::Unsigned),
            " ",
        );
        let _ = writeln!(
            out,
            "    {}) flags='{flags}' paths='{paths}' nice='{nice}' values='{values}' ;;",
            command.name
        );
    }
    let _ = writeln!(
        out,
        "    help) COMPREPLY=($(compgen -W '{all}' -- \"$cur\")); return ;;\n\
         \x20   completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\")); return ;;\n\
         \x20   esac\n\
         \x20   if [[ \" $nice \" == *\" $prev \"* ]]; then\n\
         \x20       COMPREPLY=($(compgen -W '{NICENESS}' -- \"$cur\"))\n\
         \x20   elif [[ \" $values \" == *\" $prev \"* ]]; then\n\
         \x20       COMPREPLY=()\n\
         \x20   elif [[ $cur == -* && \" $paths \" != *\" $prev \"* ]]; then\n\
         \x20       COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n\
         \x20   else\n\
         \x20       compopt -o filenames\n\
         \x20       COMPREPLY=($(compgen -f -- \"$cur\"))\n\
         \x20   fi\n\
         }}\n\
         complete -F _packmule packmule {}",
        names(reference(table), "nncp-")
    );
    out
}

fn zsh(table: &'static [Command]) -> String {
    let mut out =
        format!("#compdef packmule {}\n\n_packmule() {{\n", names(reference(table), "nncp-"));
    out.push_str(
        "  local name=${service#nncp-}\n\
         \x20 if [[ $service == packmule ]]; then\n\
         \x20   if (( CURRENT == 2 )); then\n\
         \x20     local -a commands=(\n",
    );
    for command in commands(table) {
        let _ = writeln!(out, "        '{}:{}'", command.name, quoted(command.about));
    }
    out.push_str(
        "      )\n\
         \x20     _describe command commands\n\
         \x20     return\n\
         \x20   fi\n\
         \x20   name=${words[2]#nncp-}\n\
         \x20   shift words\n\
         \x20   (( CURRENT-- ))\n\
         \x20 fi\n\
         \x20 case $name in\n",
    );
    for command in commands(table) {
        let _ = writeln!(out, "  {})\n    _arguments \\", command.name);
        for flag in usage::all_flags(command) {
            let text = quoted(&flag.summary()).replace('[', "\\[").replace(']', "\\]");
            let text = text.replace(':', "\\:");
            let _ = writeln!(out, "      '-{}[{text}]{}' \\", flag.name, zsh_value(&flag));
        }
        out.push_str("      '*:argument:_files'\n    ;;\n");
    }
    out.push_str("  esac\n}\n\n_packmule \"$@\"\n");
    out
}

fn zsh_value(flag: &Flag) -> String {
    match flag.kind {
        Kind::Switch => String::new(),
        Kind::Path => ":path:_files".into(),
        Kind::Niceness => format!(":niceness:({NICENESS})"),
        Kind::Node => ":node: ".into(),
        Kind::Text => ":text: ".into(),
        Kind::Integer | Kind::Unsigned => ":number: ".into(),
    }
}

fn fish(table: &'static [Command]) -> String {
    let mut out = String::from("# fish completion for packmule and the nncp-* names\n");
    for command in commands(table) {
        let _ = writeln!(
            out,
            "complete -c packmule -n __fish_use_subcommand -f -a {} -d '{}'",
            command.name,
            quoted(command.about)
        );
    }
    for command in commands(table) {
        let own = format!("packmule -n '__fish_seen_subcommand_from {}'", command.name);
        let linked = format!("nncp-{}", command.name);
        for flag in usage::all_flags(command) {
            let value = match flag.kind {
                Kind::Switch => String::new(),
                Kind::Path => " -r".into(),
                Kind::Niceness => format!(" -x -a '{NICENESS}'"),
                _ => " -x".into(),
            };
            let text = quoted(&flag.summary());
            let _ = writeln!(out, "complete -c {own} -o {}{value} -d '{text}'", flag.name);
            if command.face == Face::Reference && !flag.own {
                let _ = writeln!(out, "complete -c {linked} -o {}{value} -d '{text}'", flag.name);
            }
        }
    }
    out
}

/// Text that can stand between single quotes. Replaces apostrophes, because each of the three
/// shells escapes them in another way.
fn quoted(text: &str) -> String {
    text.replace('\'', "’").replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::super::table::COMMANDS;
    use super::*;

    #[test]
    fn every_command_and_flag_is_completed_everywhere() {
        let (bash, zsh, fish) = (bash(COMMANDS), zsh(COMMANDS), fish(COMMANDS));
        for command in commands(COMMANDS) {
            let name = command.name;
            assert!(bash.contains(&format!("    {name}) ")), "{name}");
            assert!(zsh.contains(&format!("\n  {name})\n")), "{name}");
            for flag in usage::all_flags(command) {
                let seen = format!("__fish_seen_subcommand_from {name}' -o {} ", flag.name);
                assert!(fish.contains(&seen), "{name} -{}", flag.name);
            }
        }
    }

    #[test]
    fn bash_accepts_its_script() {
        let checked =
            std::process::Command::new("bash").args(["-n", "-c", &bash(COMMANDS)]).status();
        assert!(checked.unwrap().success());
    }
}
