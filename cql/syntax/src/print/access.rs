//! Statements about roles, permissions and service levels.

use super::expr::literal_map;
use super::{clause, flag, in_parens, print_string, separated};
use crate::ast::{
    AlterRole, AlterUser, CreateRole, CreateServiceLevel, CreateUser, Granted, ListPermissions,
    ListRoles, ListServiceLevels, Name, Permissions, Resource, RoleOption, Secret, UserPassword,
};
use std::fmt::{self, Display, Formatter, Write as _};

impl Display for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print_string(&self.0, f)
    }
}

impl Display for CreateRole {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE ROLE {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for AlterRole {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_exists, "IF EXISTS ");
        write!(f, "ALTER ROLE {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for RoleOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(password) => write!(f, "PASSWORD = {}", password.node),
            Self::HashedPassword(hash) => write!(f, "HASHED PASSWORD = {}", hash.node),
            Self::Login(login) => write!(f, "LOGIN = {}", login.node),
            Self::Superuser(superuser) => write!(f, "SUPERUSER = {}", superuser.node),
            Self::Options(entries) => {
                f.write_str("OPTIONS = ")?;
                literal_map(f, entries)
            }
            Self::AccessToDatacenters(datacenters) => {
                f.write_str("ACCESS TO DATACENTERS {")?;
                separated(f, ", ", datacenters, |name, f| print_string(&name.node, f))?;
                f.write_char('}')
            }
            Self::AccessToAllDatacenters(_) => f.write_str("ACCESS TO ALL DATACENTERS"),
        }
    }
}

impl Display for UserPassword {
    /// With a space before it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(password) => write!(f, " WITH PASSWORD {}", password.node),
            Self::Hashed(hash) => write!(f, " WITH HASHED PASSWORD {}", hash.node),
        }
    }
}

fn user(
    f: &mut Formatter<'_>,
    name: &Name,
    password: Option<&UserPassword>,
    superuser: Option<bool>,
) -> fmt::Result {
    name.fmt(f)?;
    if let Some(password) = password {
        password.fmt(f)?;
    }
    f.write_str(match superuser {
        Some(true) => " SUPERUSER",
        Some(false) => " NOSUPERUSER",
        None => "",
    })
}

impl Display for CreateUser {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("CREATE USER ")?;
        f.write_str(flag(self.if_not_exists, "IF NOT EXISTS "))?;
        user(f, &self.name, self.password.as_ref(), Some(self.superuser))
    }
}

impl Display for AlterUser {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("ALTER USER ")?;
        f.write_str(flag(self.if_exists, "IF EXISTS "))?;
        user(f, &self.name, self.password.as_ref(), self.superuser)
    }
}

impl Display for Granted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => role.fmt(f),
            Self::Permissions(permissions, resource) => write!(f, "{permissions} ON {resource}"),
        }
    }
}

impl Display for Permissions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL PERMISSIONS"),
            Self::List(list) => separated(f, ", ", list, |one, f| f.write_str(one.node.word())),
        }
    }
}

impl Display for Resource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllKeyspaces => f.write_str("ALL KEYSPACES"),
            Self::Keyspace(keyspace) => write!(f, "KEYSPACE {keyspace}"),
            Self::AllTables(keyspace) => write!(f, "ALL TABLES IN KEYSPACE {keyspace}"),
            Self::Table(table) => write!(f, "TABLE {table}"),
            Self::AllRoles => f.write_str("ALL ROLES"),
            Self::Role(role) => write!(f, "ROLE {role}"),
            Self::AllFunctions(None) => f.write_str("ALL FUNCTIONS"),
            Self::AllFunctions(Some(keyspace)) => {
                write!(f, "ALL FUNCTIONS IN KEYSPACE {keyspace}")
            }
            Self::Function(function, types) => {
                write!(f, "FUNCTION {function}")?;
                in_parens(f, types)
            }
            Self::AllMbeans => f.write_str("ALL MBEANS"),
            Self::Mbean(mbean) => {
                f.write_str("MBEAN ")?;
                print_string(&mbean.node, f)
            }
            Self::AllServiceLevels => f.write_str("ALL SERVICE LEVELS"),
            Self::ServiceLevel(name) => write!(f, "SERVICE LEVEL {name}"),
        }
    }
}

impl Display for ListRoles {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("LIST ROLES")?;
        of_role(f, self.of.as_ref(), self.no_recursive)
    }
}

fn of_role(f: &mut Formatter<'_>, of: Option<&Name>, no_recursive: bool) -> fmt::Result {
    if let Some(role) = of {
        write!(f, " OF {role}")?;
    }
    f.write_str(flag(no_recursive, " NORECURSIVE"))
}

impl Display for ListPermissions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "LIST {}", self.permissions)?;
        if let Some(resource) = &self.on {
            write!(f, " ON {resource}")?;
        }
        of_role(f, self.of.as_ref(), self.no_recursive)
    }
}

impl Display for CreateServiceLevel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = flag(self.if_not_exists, "IF NOT EXISTS ");
        write!(f, "CREATE SERVICE LEVEL {exists}{}", self.name)?;
        clause(f, " WITH ", &self.options)
    }
}

impl Display for ListServiceLevels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("LIST ALL SERVICE LEVELS"),
            Self::One(name) => write!(f, "LIST SERVICE LEVEL {name}"),
            Self::AllAttached => f.write_str("LIST ALL ATTACHED SERVICE LEVELS"),
            Self::AttachedTo(role) => write!(f, "LIST ATTACHED SERVICE LEVEL OF {role}"),
            Self::EffectiveFor(role) => write!(f, "LIST EFFECTIVE SERVICE LEVEL OF {role}"),
        }
    }
}
