//! Terms: from an expression of a known target type to bytes.
//!
//! A term without markers and without impure functions is serialized once, when the statement is prepared.
//! What is left at bind time is a marker (validated, borrowed) or a constructor with a marker inside.

use std::borrow::Cow;
use std::sync::Arc;

use cql_syntax::Span;
use cql_syntax::{Expr, ExprKind, Literal};
use cql_types::{
    CqlType, normalize, parse_scalar, push_count, push_element, push_vector_element, validate,
};

use crate::error::PlanError;
use crate::functions::Function;
use crate::prepared::Variables;
use crate::values::{BindContext, BindValues, Bound};

/// A compiled term.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// The literal null.
    Null,
    /// Serialized already.
    Constant(Arc<[u8]>),
    /// A marker of this type.
    Marker {
        /// Its index.
        index: usize,
        /// What its values must be.
        ty: CqlType,
        /// What it is bound to, for messages.
        name: Arc<str>,
    },
    /// A value with parts.
    Parts {
        /// The type of the whole.
        ty: CqlType,
        /// Elements, fields, or keys and values in turn.
        parts: Vec<Term>,
    },
    /// A native function.
    Call {
        /// Which.
        function: Function,
        /// Its argument with its type.
        argument: Option<(CqlType, Box<Term>)>,
        /// Tells the calls of one statement apart.
        serial: u64,
    },
}

/// What a term is for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Evaluated<'a> {
    /// Serialized bytes.
    Value(Cow<'a, [u8]>),
    /// Null.
    Null,
    /// Leave the column alone.
    Unset,
}

/// What a term is assigned to or compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver<'a> {
    /// The name for messages and for the marker's metadata.
    pub(crate) name: &'a str,
    /// The type.
    pub(crate) ty: &'a CqlType,
}

impl Term {
    /// Compiles `expr` for a receiver.
    pub(crate) fn compile(
        expr: &Expr,
        to: Receiver<'_>,
        variables: &mut Variables,
    ) -> Result<Self, PlanError> {
        let term = match &expr.kind {
            ExprKind::Literal(literal) => compile_literal(literal, expr.span, to)?,
            ExprKind::Marker(marker) => variables.marker(marker, to),
            ExprKind::List(items) => match to.ty {
                CqlType::List { element, .. } => sequence(items, element, to, variables)?,
                CqlType::Vector {
                    element,
                    dimensions,
                } => {
                    if items.len() != usize::from(*dimensions) {
                        return Err(PlanError::invalid(format!(
                            "Invalid vector literal for {}: expected {dimensions} elements, but given {}",
                            to.name,
                            items.len()
                        ))
                        .at(expr.span));
                    }
                    sequence(items, element, to, variables)?
                }
                _ => return Err(mismatch("list literal", expr.span, to)),
            },
            ExprKind::Set(items) => match to.ty {
                CqlType::Set { element, .. } => sequence(items, element, to, variables)?,
                CqlType::Map { .. } if items.is_empty() => Self::Parts {
                    ty: to.ty.clone(),
                    parts: Vec::new(),
                },
                _ => return Err(mismatch("set literal", expr.span, to)),
            },
            ExprKind::Map(entries) => {
                let CqlType::Map { key, value, .. } = to.ty else {
                    return Err(mismatch("map literal", expr.span, to));
                };
                let mut parts = Vec::with_capacity(entries.len() * 2);
                for (k, v) in entries {
                    parts.push(element(k, key, "key", to, variables)?);
                    parts.push(element(v, value, "value", to, variables)?);
                }
                Self::Parts {
                    ty: to.ty.clone(),
                    parts,
                }
            }
            ExprKind::Udt(entries) => fields(entries, expr.span, to, variables)?,
            ExprKind::Tuple(items) => tuple(items, expr.span, to, variables)?,
            ExprKind::Call {
                function,
                arguments,
            } => call(function, arguments, expr.span, to, variables)?,
            ExprKind::TypeHint { value, .. } => return Self::compile(value, to, variables),
            ExprKind::Negate(_) | ExprKind::Binary { .. } => {
                return Err(PlanError::unsupported(
                    "arithmetic in a statement",
                    expr.span,
                ));
            }
            ExprKind::Cast { .. } => return Err(PlanError::unsupported("CAST here", expr.span)),
            ExprKind::Column(name) => {
                return Err(PlanError::invalid(format!(
                    "the column {} cannot be used as a value here",
                    name.as_str()
                ))
                .at(expr.span)
                .help(format!("write '{}' if a text is meant", name.as_str())));
            }
            ExprKind::CountRows
            | ExprKind::Token(_)
            | ExprKind::CellFact { .. }
            | ExprKind::Field { .. }
            | ExprKind::Element { .. }
            | ExprKind::Slice { .. } => {
                return Err(
                    PlanError::invalid("this expression cannot be used as a value here")
                        .at(expr.span),
                );
            }
        };
        term.folded(expr.span)
    }

    /// Serializes a constructor whose parts are all constants.
    fn folded(self, span: Span) -> Result<Self, PlanError> {
        let Self::Parts { parts, .. } = &self else {
            return Ok(self);
        };
        let constant = parts
            .iter()
            .all(|part| matches!(part, Self::Constant(_) | Self::Null));
        if !constant {
            return Ok(self);
        }
        let ctx = BindContext {
            timestamp: 0,
            node_time: 0,
            now: 0,
            unique: 0,
        };
        let none: &[Bound<'_>] = &[];
        match self.evaluate(none, &ctx).map_err(|error| error.at(span))? {
            Evaluated::Value(bytes) => Ok(Self::Constant(Arc::from(&*bytes))),
            Evaluated::Null => Ok(Self::Null),
            Evaluated::Unset => Ok(self),
        }
    }

    /// The bytes for one request.
    #[inline]
    pub(crate) fn evaluate<'v, V: BindValues + ?Sized>(
        &'v self,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Evaluated<'v>, PlanError> {
        // The usual case, without going through a large result.
        if let Self::Marker { index, ty, .. } = self
            && ty.is_scalar()
            && let Bound::Value(bytes) = values.get(*index)
            && validate(ty, bytes).is_ok()
        {
            return Ok(Evaluated::Value(Cow::Borrowed(bytes)));
        }
        self.evaluate_any(values, ctx)
    }

    fn evaluate_any<'v, V: BindValues + ?Sized>(
        &'v self,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Evaluated<'v>, PlanError> {
        match self {
            Self::Null => Ok(Evaluated::Null),
            Self::Constant(bytes) => Ok(Evaluated::Value(Cow::Borrowed(bytes))),
            Self::Marker { index, ty, name } => match values.get(*index) {
                Bound::Value(bytes) => {
                    normalize(ty, bytes).map(Evaluated::Value).map_err(|error| {
                        PlanError::invalid(format!("Invalid value for {name}: {error}"))
                    })
                }
                Bound::Null => Ok(Evaluated::Null),
                Bound::Unset => Ok(Evaluated::Unset),
            },
            Self::Parts { ty, parts } => assemble(ty, parts, values, ctx),
            Self::Call {
                function,
                argument,
                serial,
            } => {
                let evaluated = match argument {
                    None => None,
                    Some((ty, term)) => match term.evaluate(values, ctx)? {
                        Evaluated::Value(bytes) => Some((ty, bytes)),
                        Evaluated::Null => return Ok(Evaluated::Null),
                        Evaluated::Unset => {
                            return Err(PlanError::invalid(
                                "Invalid unset value for argument in call to function",
                            ));
                        }
                    },
                };
                let argument = evaluated.as_ref().map(|(ty, bytes)| (*ty, &**bytes));
                function
                    .call(argument, ctx, *serial)
                    .map(|bytes| Evaluated::Value(Cow::Owned(bytes)))
            }
        }
    }
}

fn compile_literal(literal: &Literal, span: Span, to: Receiver<'_>) -> Result<Term, PlanError> {
    let (kind, text) = match literal {
        Literal::Null => return Ok(Term::Null),
        Literal::Boolean(value) => ("BOOLEAN", if *value { "true" } else { "false" }),
        Literal::Integer(text) => ("INTEGER", &**text),
        Literal::Float(text) => ("FLOAT", &**text),
        Literal::String(text) => ("STRING", &**text),
        Literal::Uuid(text) => ("UUID", &**text),
        Literal::Blob(text) => ("HEX", &**text),
        Literal::Duration(text) => ("DURATION", &**text),
    };
    if !accepts(to.ty, literal) {
        return Err(PlanError::invalid(format!(
            "Invalid {kind} constant ({text}) for \"{}\" of type {}",
            to.name, to.ty
        ))
        .at(span));
    }
    parse_scalar(to.ty, text)
        .map(|bytes| Term::Constant(Arc::from(bytes)))
        .map_err(|error| PlanError::invalid(error.to_string()).at(span))
}

/// Which kinds of literal a type is written with.
fn accepts(ty: &CqlType, literal: &Literal) -> bool {
    use CqlType as Ty;
    match literal {
        Literal::Null => true,
        Literal::Boolean(_) => matches!(ty, Ty::Boolean),
        Literal::Integer(_) => matches!(
            ty,
            Ty::BigInt
                | Ty::Counter
                | Ty::Date
                | Ty::Decimal
                | Ty::Double
                | Ty::Float
                | Ty::Int
                | Ty::SmallInt
                | Ty::Time
                | Ty::Timestamp
                | Ty::TinyInt
                | Ty::Varint
        ),
        Literal::Float(_) => matches!(ty, Ty::Decimal | Ty::Double | Ty::Float),
        Literal::String(_) => matches!(
            ty,
            Ty::Ascii | Ty::Text | Ty::Inet | Ty::Date | Ty::Time | Ty::Timestamp
        ),
        Literal::Uuid(_) => matches!(ty, Ty::Uuid | Ty::TimeUuid),
        Literal::Blob(_) => matches!(ty, Ty::Blob),
        Literal::Duration(_) => matches!(ty, Ty::Duration),
    }
}

fn mismatch(what: &str, span: Span, to: Receiver<'_>) -> PlanError {
    PlanError::invalid(format!("Invalid {what} for {} of type {}", to.name, to.ty)).at(span)
}

fn sequence(
    items: &[Expr],
    ty: &CqlType,
    to: Receiver<'_>,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    let parts = items
        .iter()
        .map(|item| element(item, ty, "value", to, variables))
        .collect::<Result<_, _>>()?;
    Ok(Term::Parts {
        ty: to.ty.clone(),
        parts,
    })
}

fn element(
    item: &Expr,
    ty: &CqlType,
    role: &str,
    of: Receiver<'_>,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    let name = format!("{role}({})", of.name);
    let term = Term::compile(item, Receiver { name: &name, ty }, variables)?;
    if matches!(term, Term::Null) {
        return Err(PlanError::invalid("null is not supported inside collections").at(item.span));
    }
    Ok(term)
}

fn fields(
    entries: &[(cql_syntax::Name, Expr)],
    span: Span,
    to: Receiver<'_>,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    let CqlType::Udt { def, .. } = to.ty else {
        return Err(mismatch("user type literal", span, to));
    };
    let mut parts = vec![Term::Null; def.fields.len()];
    for (name, value) in entries {
        let Some((index, ty)) = def.field(name.as_str()) else {
            return Err(PlanError::invalid(format!(
                "Unknown field '{}' in value of user defined type {}",
                name.as_str(),
                def.name
            ))
            .at(name.span)
            .did_you_mean(name.as_str(), def.fields.iter().map(|(name, _)| &**name)));
        };
        let receiver = format!("{}.{}", to.name, name.as_str());
        let term = Term::compile(
            value,
            Receiver {
                name: &receiver,
                ty,
            },
            variables,
        )?;
        if let Some(part) = parts.get_mut(index) {
            *part = term;
        }
    }
    Ok(Term::Parts {
        ty: to.ty.clone(),
        parts,
    })
}

fn tuple(
    items: &[Expr],
    span: Span,
    to: Receiver<'_>,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    let CqlType::Tuple(types) = to.ty else {
        // One expression in parentheses is that expression.
        if let [only] = items {
            return Term::compile(only, to, variables);
        }
        return Err(mismatch("tuple literal", span, to));
    };
    if items.len() > types.len() {
        return Err(PlanError::invalid(format!(
            "Invalid tuple literal for {}: too many elements. Type {} expects {} but got {}",
            to.name,
            to.ty,
            types.len(),
            items.len()
        ))
        .at(span));
    }
    let mut parts = Vec::with_capacity(types.len());
    for (index, (item, ty)) in items.iter().zip(types.iter()).enumerate() {
        let name = format!("{}[{index}]", to.name);
        parts.push(Term::compile(
            item,
            Receiver { name: &name, ty },
            variables,
        )?);
    }
    Ok(Term::Parts {
        ty: to.ty.clone(),
        parts,
    })
}

fn call(
    name: &cql_syntax::QualifiedName,
    arguments: &[Expr],
    span: Span,
    to: Receiver<'_>,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    let text = name.name.as_str();
    let Some(function) = Function::find(text) else {
        return Err(PlanError::invalid(format!("Unknown function '{text}'"))
            .at(name.span())
            .did_you_mean(text, Function::NAMES.iter().copied()));
    };
    if !assignable(&function.returns(), to.ty) {
        return Err(PlanError::invalid(format!(
            "Type error: cannot assign result of function {text} (type {}) to {} (type {})",
            function.returns(),
            to.name,
            to.ty
        ))
        .at(span));
    }
    let accepted = function.arguments();
    let argument = match (arguments, accepted) {
        ([], []) => None,
        ([one], [_, ..]) => Some(call_argument(text, one, accepted, variables)?),
        _ => {
            return Err(PlanError::invalid(format!(
                "Invalid number of arguments in call to function {text}: {} required but {} provided",
                usize::from(!accepted.is_empty()),
                arguments.len()
            ))
            .at(span));
        }
    };
    Ok(Term::Call {
        function,
        argument,
        serial: u64::from(span.start),
    })
}

/// The first accepted type that the argument fits.
fn call_argument(
    function: &str,
    argument: &Expr,
    accepted: &[CqlType],
    variables: &mut Variables,
) -> Result<(CqlType, Box<Term>), PlanError> {
    let name = format!("arg0({function})");
    let mut refused = None;
    for ty in accepted {
        match Term::compile(argument, Receiver { name: &name, ty }, variables) {
            Ok(term) => return Ok((ty.clone(), Box::new(term))),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| PlanError::invalid("a function got a wrong argument")))
}

/// Whether a value of one type may stand where the other is expected.
fn assignable(from: &CqlType, to: &CqlType) -> bool {
    from == to
        || matches!(
            (from, to),
            (CqlType::TimeUuid, CqlType::Uuid)
                | (CqlType::Ascii, CqlType::Text)
                | (_, CqlType::Blob)
                | (CqlType::BigInt, CqlType::Timestamp)
                | (CqlType::Timestamp, CqlType::BigInt)
        )
}

/// Serializes a constructor.
fn assemble<'v, V: BindValues + ?Sized>(
    ty: &CqlType,
    parts: &'v [Term],
    values: &'v V,
    ctx: &BindContext,
) -> Result<Evaluated<'v>, PlanError> {
    let mut evaluated = Vec::with_capacity(parts.len());
    for part in parts {
        evaluated.push(match part.evaluate(values, ctx)? {
            Evaluated::Value(bytes) => Some(bytes),
            Evaluated::Null => None,
            Evaluated::Unset => {
                return Err(PlanError::invalid(
                    "unset value is not supported inside collections, tuples and user types",
                ));
            }
        });
    }
    serialize(ty, &evaluated).map(|bytes| Evaluated::Value(Cow::Owned(bytes)))
}

/// The bytes of a whole value, sets and maps in their order.
fn serialize(ty: &CqlType, parts: &[Option<Cow<'_, [u8]>>]) -> Result<Vec<u8>, PlanError> {
    let fits = |error: cql_types::ValueError| PlanError::invalid(error.to_string());
    let mut out = Vec::new();
    let count = match ty {
        CqlType::List { .. } | CqlType::Set { .. } => Some(parts.len()),
        CqlType::Map { .. } => Some(parts.len() / 2),
        _ => None,
    };
    match (count, ty) {
        (Some(count), _) => {
            push_count(count, &mut out).map_err(fits)?;
            for part in parts {
                push_element(Some(present(part.as_deref())?), &mut out).map_err(fits)?;
            }
        }
        (None, CqlType::Vector { element, .. }) => {
            let fixed = element.vector_element_len();
            for part in parts {
                push_vector_element(present(part.as_deref())?, fixed, &mut out).map_err(fits)?;
            }
        }
        (None, _) => {
            for part in parts {
                push_element(part.as_deref(), &mut out).map_err(fits)?;
            }
        }
    }
    match ty {
        CqlType::Set { .. } | CqlType::Map { .. } => {
            normalize(ty, &out).map(Cow::into_owned).map_err(fits)
        }
        _ => Ok(out),
    }
}

fn present(part: Option<&[u8]>) -> Result<&[u8], PlanError> {
    part.ok_or_else(|| PlanError::invalid("null is not supported inside collections"))
}
