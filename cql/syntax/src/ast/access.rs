//! Statements about roles, permissions and service levels.
//!
//! The name of a role may also be written as a string; it is then kept as a quoted [`Name`].

use super::{Literal, Name, Property, QualifiedName, TypeName};
use crate::{Span, Spanned};
use std::fmt;

/// `CREATE ROLE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateRole {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The role.
    pub name: Name,
    /// `WITH`
    pub options: Vec<RoleOption>,
}

/// `ALTER ROLE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterRole {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The role.
    pub name: Name,
    /// `WITH`
    pub options: Vec<RoleOption>,
}

/// An entry of the `WITH` clause of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoleOption {
    /// `PASSWORD = '...'`
    Password(Spanned<Secret>),
    /// `HASHED PASSWORD = '...'`
    HashedPassword(Spanned<Secret>),
    /// `LOGIN = true`
    Login(Spanned<bool>),
    /// `SUPERUSER = true`
    Superuser(Spanned<bool>),
    /// `OPTIONS = {...}`
    Options(Vec<(Spanned<Literal>, Spanned<Literal>)>),
    /// `ACCESS TO DATACENTERS {...}`
    AccessToDatacenters(Vec<Spanned<Box<str>>>),
    /// `ACCESS TO ALL DATACENTERS`
    AccessToAllDatacenters(Span),
}

/// A password. Its `Debug` hides it, so that a logged tree tells nobody; printing the statement shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `DROP ROLE`, `DROP USER`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropRole {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The role.
    pub name: Name,
}

/// `CREATE USER`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateUser {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The user.
    pub name: Name,
    /// `WITH [HASHED] PASSWORD '...'`
    pub password: Option<UserPassword>,
    /// `SUPERUSER` or `NOSUPERUSER`, which is also what nothing means.
    pub superuser: bool,
}

/// `ALTER USER`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterUser {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The user.
    pub name: Name,
    /// `WITH [HASHED] PASSWORD '...'`
    pub password: Option<UserPassword>,
    /// `SUPERUSER` or `NOSUPERUSER`, if one was written.
    pub superuser: Option<bool>,
}

/// The password in `CREATE USER` and `ALTER USER`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserPassword {
    /// `PASSWORD '...'`
    Plain(Spanned<Secret>),
    /// `HASHED PASSWORD '...'`
    Hashed(Spanned<Secret>),
}

/// `GRANT what TO role`, `REVOKE what FROM role`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// What is granted or revoked.
    pub what: Granted,
    /// To or from which role.
    pub role: Name,
}

/// What a `GRANT` grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Granted {
    /// Another role.
    Role(Name),
    /// Permissions on a resource.
    Permissions(Permissions, Resource),
}

/// Some permissions or all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Permissions {
    /// `ALL [PERMISSIONS]`
    All,
    /// At least one.
    List(Vec<Spanned<Permission>>),
}

/// A permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum Permission {
    Create,
    Alter,
    Drop,
    Select,
    Modify,
    Authorize,
    Describe,
    Execute,
    Unmask,
    SelectMasked,
    VectorSearchIndexing,
    TextSearchIndexing,
}

/// What a permission is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// `ALL KEYSPACES`
    AllKeyspaces,
    /// `KEYSPACE ks`
    Keyspace(Name),
    /// `ALL TABLES IN KEYSPACE ks`
    AllTables(Name),
    /// `[TABLE] t`
    Table(QualifiedName),
    /// `ALL ROLES`
    AllRoles,
    /// `ROLE r`
    Role(Name),
    /// `ALL FUNCTIONS [IN KEYSPACE ks]`
    AllFunctions(Option<Name>),
    /// `FUNCTION f(int)`
    Function(QualifiedName, Vec<TypeName>),
    /// `ALL MBEANS`
    AllMbeans,
    /// `MBEAN '...'`, `MBEANS '...'`
    Mbean(Spanned<Box<str>>),
    /// `ALL SERVICE LEVELS`
    AllServiceLevels,
    /// `SERVICE LEVEL s`
    ServiceLevel(Name),
}

/// `LIST ROLES`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListRoles {
    /// `OF role`
    pub of: Option<Name>,
    /// `NORECURSIVE`: only roles granted directly.
    pub no_recursive: bool,
}

/// `LIST ALL PERMISSIONS`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPermissions {
    /// Which.
    pub permissions: Permissions,
    /// `ON resource`
    pub on: Option<Resource>,
    /// `OF role`
    pub of: Option<Name>,
    /// `NORECURSIVE`: only those granted directly.
    pub no_recursive: bool,
}

/// `CREATE SERVICE LEVEL`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateServiceLevel {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The service level.
    pub name: Name,
    /// `WITH`
    pub options: Vec<Property>,
}

/// `ALTER SERVICE LEVEL`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterServiceLevel {
    /// The service level.
    pub name: Name,
    /// `WITH`
    pub options: Vec<Property>,
}

/// `DROP SERVICE LEVEL`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropServiceLevel {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The service level.
    pub name: Name,
}

/// `ATTACH SERVICE LEVEL s TO r`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachServiceLevel {
    /// The service level.
    pub name: Name,
    /// The role that gets it.
    pub role: Name,
}

/// `DETACH SERVICE LEVEL FROM r`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetachServiceLevel {
    /// The role that loses it.
    pub role: Name,
}

/// `LIST SERVICE LEVEL(S)` in its forms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListServiceLevels {
    /// `LIST ALL SERVICE LEVELS`
    All,
    /// `LIST SERVICE LEVEL s`
    One(Name),
    /// `LIST ALL ATTACHED SERVICE LEVELS`
    AllAttached,
    /// `LIST ATTACHED SERVICE LEVEL OF r`
    AttachedTo(Name),
    /// `LIST EFFECTIVE SERVICE LEVEL OF r`
    EffectiveFor(Name),
}
