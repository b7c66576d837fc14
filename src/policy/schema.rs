//! What policies may see: the Cedar schema that every bundle is validated against.

use std::sync::LazyLock;

use cedar_policy::Schema;

/// The schema as text.
const TEXT: &str = include_str!("jit.cedarschema");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _warnings) = Schema::from_cedarschema_str(TEXT).expect("the embedded schema is tested");
    schema
});

/// The schema.
pub(super) fn schema() -> &'static Schema {
    &SCHEMA
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_schema_parses_without_warnings() {
        let (_, warnings) = Schema::from_cedarschema_str(TEXT).unwrap();
        assert_eq!(
            warnings.map(|w| w.to_string()).collect::<Vec<_>>(),
            Vec::<String>::new()
        );
    }
}
