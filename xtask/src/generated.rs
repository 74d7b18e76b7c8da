//! Parts of documents that are made from what the product says: each stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tree;

/// A document that has such parts: as it is, and as it should be.
pub(crate) struct Page {
    path: PathBuf,
    text: String,
    fresh: String,
}

impl Page {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = tree::read(path)?;
        Ok(Self { path: path.to_owned(), fresh: text.clone(), text })
    }

    /// The names of its parts that begin with this.
    pub(crate) fn parts(&self, prefix: &str) -> Vec<String> {
        let begins = self.text.lines().filter_map(|line| line.trim().strip_prefix("<!-- ")?.strip_suffix(":begin -->"));
        begins.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
    }

    /// Puts this into the part of this name.
    pub(crate) fn put(&mut self, name: &str, content: &str) -> Result<()> {
        let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->\n"));
        let missing = |edge: &str| format!("{} has no {}", tree::relative(&self.path), edge.trim_end());
        let (before, rest) = self.fresh.split_once(&begin).with_context(|| missing(&begin))?;
        let (_, after) = rest.split_once(&end).with_context(|| missing(&end))?;
        self.fresh = format!("{before}{begin}\n{}\n\n{end}{after}", content.trim());
        Ok(())
    }

    /// What is to be done, if it is not as it should be.
    pub(crate) fn finding(&self) -> Option<String> {
        (self.text != self.fresh).then(|| format!("{}: run cargo xtask regen", tree::relative(&self.path)))
    }

    /// Makes it what it should be. Returns it if it was not.
    pub(crate) fn write(self) -> Result<Option<PathBuf>> {
        if self.text == self.fresh {
            return Ok(None);
        }
        std::fs::write(&self.path, self.fresh).with_context(|| format!("write {}", self.path.display()))?;
        Ok(Some(self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn what_stands_between_the_markers_is_replaced() {
        let text = "a\n<!-- table:est:begin -->\nold\n<!-- table:est:end -->\nb\n<!-- other:begin -->\n";
        let mut page = Page { path: "page.md".into(), text: text.to_owned(), fresh: text.to_owned() };
        assert_eq!((page.parts("table:"), page.finding()), (vec!["table:est".to_owned()], None));
        page.put("table:est", "| new |\n").unwrap();
        assert!(page.finding().unwrap().starts_with("page.md: "));
        let once = page.fresh.clone();
        assert!(once.starts_with("a\n<!-- table:est:begin -->\n\n| new |\n\n<!-- table:est:end -->\nb\n"), "{once}");
        page.put("table:est", "| new |\n").unwrap();
        assert_eq!(page.fresh, once);
        assert!(page.put("other", "").is_err() && page.put("none", "").is_err());
    }
}
