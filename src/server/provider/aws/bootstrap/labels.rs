//! What the resources of a template are called inside it.
//! Owns that no two are called the same. Refuses names in AWS: those are the catalogue's.

use std::collections::BTreeSet;

/// Labels that were given.
#[derive(Debug, Default)]
pub struct Labels(BTreeSet<String>);

impl Labels {
    /// `JitProdAdmin` of `jit-prod-admin`: letters and digits alone, as CloudFormation wants them.
    pub fn camel(&mut self, name: &str) -> String {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        let label: String = words
            .map(|word| {
                let (first, rest) = word.split_at(word.len().min(1));
                format!("{}{rest}", first.to_ascii_uppercase())
            })
            .collect();
        self.unique(label, "")
    }

    /// `jit_prod_admin` of `jit-prod-admin`: an identifier of Terraform.
    pub fn snake(&mut self, name: &str) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let label: String = name.chars().map(plain).collect();
        let is_identifier = label.starts_with(|c: char| c.is_ascii_alphabetic());
        self.unique(if is_identifier { label } else { format!("role_{label}") }, "_")
    }

    fn unique(&mut self, label: String, before_number: &str) -> String {
        let mut unique = label.clone();
        let mut number = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{label}{before_number}{number}");
            number += 1;
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn labels_are_distinct_and_well_formed() {
        let mut labels = Labels::default();
        assert_eq!(labels.camel("jit-prod-admin"), "JitProdAdmin");
        assert_eq!(labels.camel("jit.prod+Admin"), "JitProdAdmin2");
        let mut labels = Labels::default();
        assert_eq!(labels.snake("Jit-prod,admin"), "jit_prod_admin");
        assert_eq!(labels.snake("jit_prod_admin"), "jit_prod_admin_2");
        assert_eq!(labels.snake("9lives"), "role_9lives");
    }
}
