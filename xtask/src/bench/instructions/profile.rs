//! What callgrind writes: the instructions of each function, line by line, in which file it was written, and in which object it is.
//!
//! The format is that of the Callgrind manual: names are numbered where they come first, and the cost of a call is not that of its caller.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

/// Instructions by where they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Profile(BTreeMap<Part, u64>);

/// Something that has instructions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A crate of the program, by its name; of this workspace, by its folder.
    Crate(String),
    /// Cryptography: which instructions it takes is a matter of the processor.
    Cryptography,
    /// Other objects: the C library's choice is a matter of the processor too.
    Elsewhere,
}

/// The file of a line, and the function that it has become part of.
#[derive(Default)]
struct Place {
    object: String,
    function: String,
    function_file: String,
    file: String,
}

/// Names that were numbered, of one kind.
#[derive(Default)]
struct Names(HashMap<u32, String>);

impl Names {
    /// `(7) name`, or `(7)` once that was said.
    fn resolve(&mut self, text: &str) -> Result<String> {
        let (number, name) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).context("a name without a number")?;
        let number = number.parse().with_context(|| format!("the number of {text}"))?;
        let name = name.trim_start();
        if !name.is_empty() {
            self.0.insert(number, name.to_owned());
        }
        self.0.get(&number).cloned().with_context(|| format!("{number} was never named"))
    }
}

impl Profile {
    /// Reads a dump. `program` is the path of the program's object, `root` that of the workspace.
    pub(super) fn parse(dump: &str, program: &str, root: &str) -> Result<Self> {
        let (mut files, mut functions, mut objects) = (Names::default(), Names::default(), Names::default());
        let (mut place, mut profile) = (Place::default(), Self::default());
        let mut is_of_call = false;
        for line in dump.lines() {
            match line.split_once('=') {
                Some(("ob", name)) => place.object = objects.resolve(name)?,
                Some(("fl", name)) => {
                    place.function_file = files.resolve(name)?;
                    place.file.clone_from(&place.function_file);
                }
                Some(("fi" | "fe", name)) => place.file = files.resolve(name)?,
                Some(("fn", name)) => place.function = functions.resolve(name)?,
                Some(("cfi" | "cfl", name)) => drop(files.resolve(name)?),
                Some(("cfn", name)) => drop(functions.resolve(name)?),
                Some(("cob", name)) => drop(objects.resolve(name)?),
                Some(("calls", _)) => is_of_call = true,
                _ if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) => {
                    let cost = line.split(' ').nth(1).with_context(|| format!("no cost in {line:?}"))?;
                    let cost: u64 = cost.parse().with_context(|| format!("the cost in {line:?}"))?;
                    if !std::mem::take(&mut is_of_call) {
                        *profile.0.entry(place.part(program, root)).or_default() += cost;
                    }
                }
                _ => {}
            }
        }
        Ok(profile)
    }

    /// All but cryptography and what is elsewhere.
    pub(super) fn counted(&self) -> u64 {
        self.0.iter().filter(|(part, _)| matches!(part, Part::Crate(_))).map(|(_, cost)| cost).sum()
    }

    /// An operation's share of this, where `less` is of `fewer` operations and this of `count` more.
    pub(super) fn beyond(&self, less: &Self, count: u32) -> Self {
        let before = |part: &Part| less.0.get(part).copied().unwrap_or_default();
        let each = |(part, cost): (&Part, &u64)| (part.clone(), cost.saturating_sub(before(part)) / u64::from(count));
        Self(self.0.iter().map(each).collect())
    }

    /// Its parts, the largest first.
    pub(super) fn parts(&self) -> Vec<(&Part, u64)> {
        let mut parts: Vec<_> = self.0.iter().map(|(part, cost)| (part, *cost)).collect();
        parts.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        parts
    }
}

impl Place {
    fn part(&self, program: &str, root: &str) -> Part {
        // What is inlined into cryptography is of it, too.
        let is_cryptography = self.function_file.starts_with("/aws-lc/") || self.function.starts_with("aws_lc_");
        match () {
            () if self.object != program => Part::Elsewhere,
            () if is_cryptography || self.file.starts_with("/aws-lc/") => Part::Cryptography,
            () => {
                // What the standard library is used for tells more than that it is used.
                let written = crate_of(&self.file, root);
                Part::Crate(if written == STD { crate_of(&self.function_file, root) } else { written })
            }
        }
    }
}

/// The standard library, whose sources have no folder of a crate.
const STD: &str = "std";

/// The crate that a source file belongs to.
fn crate_of(file: &str, root: &str) -> String {
    if let Some((_, rest)) = file.split_once("/registry/src/") {
        let folder = rest.split('/').nth(1).unwrap_or(rest);
        let name = folder.rsplit_once('-').map_or(folder, |(name, _)| name);
        return name.to_owned();
    }
    if let Some(rest) = file.strip_prefix(root) {
        let rest = rest.trim_start_matches('/');
        return rest.split_once("/src/").map_or(rest, |(folder, _)| folder).to_owned();
    }
    match file {
        "???" => "unknown".to_owned(),
        _ => STD.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dump, reduced to each kind of line that there is.
    const DUMP: &str = "\
events: Ir
ob=(1) /b/certgate
fl=(1) /w/gateway/src/serve.rs
fn=(1) certgate::serve::route
10 5
+1 7
fi=(2) /c/registry/src/index-1/hyper-1.12.0/src/lib.rs
* 11
fi=(5) library/alloc/src/vec/mod.rs
* 13
fe=(1)
cob=(2) /lib/libc.so.6
cfi=(3) ./string/memmove.S
cfn=(2) memcpy
calls=3 20
-1 1000
fl=(4) /aws-lc/crypto/ec.c
fn=(3) ec_mul
7 50
ob=(2)
fl=(3)
fn=(2)
7 100
";

    #[test]
    fn costs_are_of_who_has_written_them() {
        let profile = Profile::parse(DUMP, "/b/certgate", "/w").unwrap();
        let expected = [
            (Part::Elsewhere, 100),
            (Part::Cryptography, 50),
            (Part::Crate("gateway".to_owned()), 25),
            (Part::Crate("hyper".to_owned()), 11),
        ];
        assert_eq!(profile.parts(), expected.iter().map(|(part, cost)| (part, *cost)).collect::<Vec<_>>());
        assert_eq!(profile.counted(), 36);
    }

    #[test]
    fn what_both_have_is_taken_away() {
        let more = Profile(BTreeMap::from([(Part::Crate("gateway".to_owned()), 1100)]));
        let less = Profile(BTreeMap::from([(Part::Crate("gateway".to_owned()), 100)]));
        assert_eq!(more.beyond(&less, 10).counted(), 100);
    }

    #[test]
    fn what_is_no_dump_is_an_error() {
        for dump in ["fl=1\n", "fn=(x) f\n", "fl=(1)\n", "10\n", "+1 many\n"] {
            assert!(Profile::parse(dump, "", "").is_err(), "{dump:?}");
        }
    }
}
