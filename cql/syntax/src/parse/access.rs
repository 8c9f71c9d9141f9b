//! Roles, users, permissions and service levels.

use super::ddl::{keyspace_word, literal_map, properties, table_word};
use super::objects::signature;
use super::select::{after, after_one};
use super::tokens::{
    Expected, Parsed, Tokens, and_list, comma_list, given, if_exists, if_not_exists, keyword, name,
    phrase, qualified, string, string_content, symbol,
};
use crate::ast::{
    AlterRole, AlterServiceLevel, AlterUser, AttachServiceLevel, CreateRole, CreateServiceLevel,
    CreateUser, DetachServiceLevel, DropRole, DropServiceLevel, Grant, Granted, ListPermissions,
    ListRoles, ListServiceLevels, Name, Permission, Permissions, Resource, RoleOption, Secret,
    StatementKind, UserPassword,
};
use crate::keyword::Keyword;
use crate::token::Symbol;
use crate::{Span, Spanned};
use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::opt;

/// `SERVICE LEVEL`
fn service_level_words(input: Tokens<'_>) -> Parsed<'_, Span> {
    alt((
        phrase([Keyword::Service, Keyword::Level]),
        keyword(Keyword::ServiceLevel),
    ))
    .parse(input)
}

/// `SERVICE LEVELS`
fn service_levels_words(input: Tokens<'_>) -> Parsed<'_, Span> {
    alt((
        phrase([Keyword::Service, Keyword::Levels]),
        keyword(Keyword::ServiceLevels),
    ))
    .parse(input)
}

fn service_level(input: Tokens<'_>) -> Parsed<'_, Name> {
    name("a service level")(input)
}

/// The name of a role, which may be a string.
fn role(input: Tokens<'_>) -> Parsed<'_, Name> {
    let token = input.first();
    match string_content(token, input.text_of(token.span)) {
        Some(text) if !text.is_empty() => {
            let name = Name {
                text,
                quoted: true,
                span: token.span,
            };
            Ok((input.advance(), name))
        }
        _ => name("a role")(input),
    }
}

/// What is behind `CREATE`, if it is about access.
pub(super) fn create(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((create_role, create_user, create_service_level)).parse(input)
}

/// What is behind `ALTER`, if it is about access.
pub(super) fn alter(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((alter_role, alter_user, alter_service_level)).parse(input)
}

/// What is behind `DROP`, if it is about access.
pub(super) fn drop(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    type Make = fn(DropRole) -> StatementKind;
    if let Ok((input, _)) = service_level_words(input) {
        let (input, if_exists) = if_exists(input)?;
        let (input, name) = service_level(input)?;
        let drop = DropServiceLevel { if_exists, name };
        return Ok((input, StatementKind::DropServiceLevel(drop)));
    }
    let (input, make) = alt((
        keyword(Keyword::Role).map(|_| StatementKind::DropRole as Make),
        keyword(Keyword::User).map(|_| StatementKind::DropUser as Make),
    ))
    .parse(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = role(input)?;
    Ok((input, make(DropRole { if_exists, name })))
}

fn create_role(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = keyword(Keyword::Role)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = role(input)?;
    let (input, options) = role_options(input)?;
    let create = CreateRole {
        if_not_exists,
        name,
        options,
    };
    Ok((input, StatementKind::CreateRole(create)))
}

fn alter_role(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = keyword(Keyword::Role)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = role(input)?;
    let (input, options) = role_options(input)?;
    let alter = AlterRole {
        if_exists,
        name,
        options,
    };
    Ok((input, StatementKind::AlterRole(alter)))
}

fn role_options(input: Tokens<'_>) -> Parsed<'_, Vec<RoleOption>> {
    after([Keyword::With], and_list(role_option))(input)
}

fn role_option(input: Tokens<'_>) -> Parsed<'_, RoleOption> {
    alt((
        assigned([Keyword::Password], secret).map(RoleOption::Password),
        assigned([Keyword::Hashed, Keyword::Password], secret).map(RoleOption::HashedPassword),
        assigned([Keyword::Login], boolean).map(RoleOption::Login),
        assigned([Keyword::Superuser], boolean).map(RoleOption::Superuser),
        assigned([Keyword::Options], literal_map).map(RoleOption::Options),
        access_option,
    ))
    .parse(input)
}

/// `words = value`
fn assigned<'a, T, const N: usize>(
    words: [Keyword; N],
    value: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let (input, _) = phrase(words)(input)?;
        let (input, _) = symbol(Symbol::Equal)(input)?;
        value(input)
    }
}

fn access_option(input: Tokens<'_>) -> Parsed<'_, RoleOption> {
    let (rest, _) = phrase([Keyword::Access, Keyword::To])(input)?;
    if let Ok((rest, _)) = phrase([Keyword::All, Keyword::Datacenters])(rest) {
        let span = input.span_to(rest);
        return Ok((rest, RoleOption::AccessToAllDatacenters(span)));
    }
    let (rest, _) = keyword(Keyword::Datacenters)(rest)?;
    let (rest, _) = symbol(Symbol::LeftBrace)(rest)?;
    let (rest, datacenters) = comma_list(string)(rest)?;
    let (rest, _) = symbol(Symbol::RightBrace)(rest)?;
    Ok((rest, RoleOption::AccessToDatacenters(datacenters)))
}

fn secret(input: Tokens<'_>) -> Parsed<'_, Spanned<Secret>> {
    let (rest, Spanned { node, span }) = string(input)?;
    Ok((rest, Spanned::new(Secret(node), span)))
}

fn boolean(input: Tokens<'_>) -> Parsed<'_, Spanned<bool>> {
    alt((
        keyword(Keyword::True).map(|span| Spanned::new(true, span)),
        keyword(Keyword::False).map(|span| Spanned::new(false, span)),
    ))
    .parse(input)
}

fn create_user(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = keyword(Keyword::User)(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = role(input)?;
    let (input, password) = user_password(input)?;
    let (input, superuser) = superuser(input)?;
    let create = CreateUser {
        if_not_exists,
        name,
        password,
        superuser: superuser.unwrap_or(false),
    };
    Ok((input, StatementKind::CreateUser(create)))
}

fn alter_user(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = keyword(Keyword::User)(input)?;
    let (input, if_exists) = if_exists(input)?;
    let (input, name) = role(input)?;
    let (input, password) = user_password(input)?;
    let (input, superuser) = superuser(input)?;
    let alter = AlterUser {
        if_exists,
        name,
        password,
        superuser,
    };
    Ok((input, StatementKind::AlterUser(alter)))
}

fn user_password(input: Tokens<'_>) -> Parsed<'_, Option<UserPassword>> {
    let Ok((input, _)) = keyword(Keyword::With)(input) else {
        return Ok((input, None));
    };
    let (input, hashed) = given([Keyword::Hashed])(input)?;
    let (input, _) = keyword(Keyword::Password)(input)?;
    let (input, secret) = secret(input)?;
    let password = if hashed {
        UserPassword::Hashed(secret)
    } else {
        UserPassword::Plain(secret)
    };
    Ok((input, Some(password)))
}

fn superuser(input: Tokens<'_>) -> Parsed<'_, Option<bool>> {
    opt(alt((
        keyword(Keyword::Superuser).map(|_| true),
        keyword(Keyword::Nosuperuser).map(|_| false),
    )))
    .parse(input)
}

/// What is behind `GRANT`.
pub(super) fn grant(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    grant_by(input, Keyword::To).map(|(rest, grant)| (rest, StatementKind::Grant(grant)))
}

/// What is behind `REVOKE`.
pub(super) fn revoke(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    grant_by(input, Keyword::From).map(|(rest, grant)| (rest, StatementKind::Revoke(grant)))
}

fn grant_by(input: Tokens<'_>, word: Keyword) -> Parsed<'_, Grant> {
    // A role may be called `all` or `unmask`.
    let (input, what) = if input.keyword_at(1) == Some(word) {
        role.map(Granted::Role).parse(input)?
    } else {
        alt((granted_permissions, role.map(Granted::Role))).parse(input)?
    };
    let (input, _) = keyword(word)(input)?;
    let (input, role) = role(input)?;
    Ok((input, Grant { what, role }))
}

fn granted_permissions(input: Tokens<'_>) -> Parsed<'_, Granted> {
    let (input, permissions) = permissions(input)?;
    let (input, _) = keyword(Keyword::On)(input)?;
    let (input, resource) = resource(input)?;
    Ok((input, Granted::Permissions(permissions, resource)))
}

/// The permissions by their keywords.
const PERMISSIONS: [(Keyword, Permission); 12] = [
    (Keyword::Create, Permission::Create),
    (Keyword::Alter, Permission::Alter),
    (Keyword::Drop, Permission::Drop),
    (Keyword::Select, Permission::Select),
    (Keyword::Modify, Permission::Modify),
    (Keyword::Authorize, Permission::Authorize),
    (Keyword::Describe, Permission::Describe),
    (Keyword::Execute, Permission::Execute),
    (Keyword::Unmask, Permission::Unmask),
    (Keyword::SelectMasked, Permission::SelectMasked),
    (
        Keyword::VectorSearchIndexing,
        Permission::VectorSearchIndexing,
    ),
    (Keyword::TextSearchIndexing, Permission::TextSearchIndexing),
];

fn permissions(input: Tokens<'_>) -> Parsed<'_, Permissions> {
    if let Ok((rest, _)) = keyword(Keyword::All)(input) {
        let (rest, _) = given([Keyword::Permissions])(rest)?;
        return Ok((rest, Permissions::All));
    }
    let (input, list) = comma_list(permission)(input)?;
    let (input, _) = opt(alt((
        keyword(Keyword::Permission),
        keyword(Keyword::Permissions),
    )))
    .parse(input)?;
    Ok((input, Permissions::List(list)))
}

fn permission(input: Tokens<'_>) -> Parsed<'_, Spanned<Permission>> {
    let found = input.keyword_at(0);
    match PERMISSIONS.iter().find(|(word, _)| found == Some(*word)) {
        Some((_, permission)) => {
            let node = Spanned::new(*permission, input.first().span);
            Ok((input.advance(), node))
        }
        None => {
            for (word, _) in PERMISSIONS {
                input.note(Expected::Keyword(word));
            }
            Err(nom::Err::Error(super::tokens::Mismatch))
        }
    }
}

impl Permission {
    /// Its keyword.
    pub(crate) fn word(self) -> &'static str {
        let same = PERMISSIONS
            .iter()
            .find(|(_, permission)| *permission == self);
        same.map_or("", |(word, _)| word.word())
    }
}

fn resource(input: Tokens<'_>) -> Parsed<'_, Resource> {
    let keyspace = || name("a keyspace");
    alt((
        phrase([Keyword::All, Keyword::Keyspaces]).map(|_| Resource::AllKeyspaces),
        behind(keyspace_word, keyspace()).map(Resource::Keyspace),
        behind(
            phrase([
                Keyword::All,
                Keyword::Tables,
                Keyword::In,
                Keyword::Keyspace,
            ]),
            keyspace(),
        )
        .map(Resource::AllTables),
        phrase([Keyword::All, Keyword::Roles]).map(|_| Resource::AllRoles),
        behind(keyword(Keyword::Role), role).map(Resource::Role),
        behind(
            phrase([Keyword::All, Keyword::Functions]),
            after_one([Keyword::In, Keyword::Keyspace], keyspace()),
        )
        .map(Resource::AllFunctions),
        behind(keyword(Keyword::Function), |input| {
            let (input, function) = qualified("a function")(input)?;
            let (input, types) = signature(input)?;
            Ok((input, Resource::Function(function, types)))
        }),
        phrase([Keyword::All, Keyword::Mbeans]).map(|_| Resource::AllMbeans),
        behind(keyword(Keyword::Mbean), string).map(Resource::Mbean),
        behind(keyword(Keyword::Mbeans), string).map(Resource::Mbean),
        behind(keyword(Keyword::All), service_levels_words).map(|_| Resource::AllServiceLevels),
        behind(service_level_words, service_level).map(Resource::ServiceLevel),
        behind(opt(table_word), qualified("a table")).map(Resource::Table),
    ))
    .parse(input)
}

/// What `rule` reads behind `words`.
fn behind<'a, W, T>(
    mut words: impl nom::Parser<Tokens<'a>, Output = W, Error = super::tokens::Mismatch>,
    rule: impl Fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let (input, _) = words.parse(input)?;
        rule(input)
    }
}

/// What is behind `LIST`.
pub(super) fn list(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    alt((
        list_service_levels.map(StatementKind::ListServiceLevels),
        keyword(Keyword::Users).map(|_| StatementKind::ListUsers),
        list_roles.map(StatementKind::ListRoles),
        list_permissions.map(StatementKind::ListPermissions),
    ))
    .parse(input)
}

fn list_roles(input: Tokens<'_>) -> Parsed<'_, ListRoles> {
    let (input, _) = keyword(Keyword::Roles)(input)?;
    let (input, of) = after_one([Keyword::Of], role)(input)?;
    let (input, no_recursive) = given([Keyword::Norecursive])(input)?;
    Ok((input, ListRoles { of, no_recursive }))
}

fn list_permissions(input: Tokens<'_>) -> Parsed<'_, ListPermissions> {
    let (input, permissions) = permissions(input)?;
    let (input, on) = after_one([Keyword::On], resource)(input)?;
    let (input, of) = after_one([Keyword::Of], role)(input)?;
    let (input, no_recursive) = given([Keyword::Norecursive])(input)?;
    let list = ListPermissions {
        permissions,
        on,
        of,
        no_recursive,
    };
    Ok((input, list))
}

fn list_service_levels(input: Tokens<'_>) -> Parsed<'_, ListServiceLevels> {
    alt((
        behind(
            phrase([Keyword::All, Keyword::Attached]),
            service_levels_words,
        )
        .map(|_| ListServiceLevels::AllAttached),
        behind(keyword(Keyword::All), service_levels_words).map(|_| ListServiceLevels::All),
        behind(
            (
                keyword(Keyword::Attached),
                service_level_words,
                keyword(Keyword::Of),
            ),
            role,
        )
        .map(ListServiceLevels::AttachedTo),
        behind(
            (
                keyword(Keyword::Effective),
                service_level_words,
                keyword(Keyword::Of),
            ),
            role,
        )
        .map(ListServiceLevels::EffectiveFor),
        behind(service_level_words, service_level).map(ListServiceLevels::One),
    ))
    .parse(input)
}

fn create_service_level(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = service_level_words(input)?;
    let (input, if_not_exists) = if_not_exists(input)?;
    let (input, name) = service_level(input)?;
    let (input, options) = properties(input)?;
    let create = CreateServiceLevel {
        if_not_exists,
        name,
        options,
    };
    Ok((input, StatementKind::CreateServiceLevel(create)))
}

fn alter_service_level(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = service_level_words(input)?;
    let (input, name) = service_level(input)?;
    let (input, options) = properties(input)?;
    let alter = AlterServiceLevel { name, options };
    Ok((input, StatementKind::AlterServiceLevel(alter)))
}

/// What is behind `ATTACH`.
pub(super) fn attach(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = service_level_words(input)?;
    let (input, name) = service_level(input)?;
    let (input, _) = keyword(Keyword::To)(input)?;
    let (input, role) = role(input)?;
    let attach = AttachServiceLevel { name, role };
    Ok((input, StatementKind::AttachServiceLevel(attach)))
}

/// What is behind `DETACH`.
pub(super) fn detach(input: Tokens<'_>) -> Parsed<'_, StatementKind> {
    let (input, _) = service_level_words(input)?;
    let (input, _) = keyword(Keyword::From)(input)?;
    let (input, role) = role(input)?;
    let detach = DetachServiceLevel { role };
    Ok((input, StatementKind::DetachServiceLevel(detach)))
}
