//! Where a mutant can be put, and which.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Attribute, BinOp, Block, Expr, ExprIf, ExprMatch, ExprRepeat, ImplItemConst, ImplItemFn, ItemConst, ItemEnum,
    ItemFn, ItemMacro, ItemMod, ItemStatic, ItemStruct, Pat, ReturnType, Signature, Stmt, Type, UnOp, parse_quote,
    parse_str,
};

/// A walk through one file.
pub(crate) struct Places<'d> {
    file: String,
    next: u32,
    dropped: &'d BTreeSet<u32>,
    said: Vec<String>,
}

impl<'d> Places<'d> {
    pub(crate) fn new(file: &str, next: u32, dropped: &'d BTreeSet<u32>) -> Self {
        Self { file: file.to_owned(), next, dropped, said: Vec::new() }
    }

    /// A line for each mutant that was put in.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// The number of the next mutant.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// The number of a mutant at this place; none if it is dropped.
    fn mutant(&mut self, place: Span, what: &str) -> Option<u32> {
        let number = self.next;
        self.next += 1;
        if self.dropped.contains(&number) {
            return None;
        }
        let what: String = what.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(110).collect();
        self.said.push(format!("{number}\t{}:{}\t{what}", self.file, place.start().line));
        Some(number)
    }

    fn body(&mut self, signature: &Signature, block: &mut Block) {
        if signature.constness.is_some() {
            return;
        }
        visit_mut::visit_block_mut(self, block);
        let results: &[&str] = match &signature.output {
            ReturnType::Default => &["()"],
            ReturnType::Type(_, result) => other_results(&result.to_token_stream().to_string().replace(' ', "")),
        };
        for result in results {
            let what = format!("replace {} with {result}", signature.ident);
            let (Some(number), Ok(value)) = (self.mutant(signature.span(), &what), parse_str::<Expr>(result)) else {
                continue;
            };
            block.stmts.insert(0, parse_quote!(if crate::__mutant(#number) { return #value; }));
        }
    }

    /// The expression with each other operator behind its switch.
    fn operators(&mut self, place: Span, what: &str, (left, op, right): (&Expr, &BinOp, &Expr)) -> Option<TokenStream> {
        let mut whole = quote!(#left #op #right);
        let mut any = false;
        for other in other_operators(op) {
            let Ok(other) = parse_str::<BinOp>(other) else { continue };
            let what = format!("{} to {} in {what}", op.to_token_stream(), other.to_token_stream());
            let Some(number) = self.mutant(place, &what) else { continue };
            whole = quote!(if crate::__mutant(#number) { #left #other #right } else { #whole });
            any = true;
        }
        any.then(|| quote!((#whole)))
    }
}

/// Results in the place of what a function of this type gives.
fn other_results(result: &str) -> &'static [&'static str] {
    match result {
        "bool" => &["true", "false"],
        "u64" | "usize" | "u32" => &["0", "1"],
        "String" => &["String::new()", "String::from(\"xyzzy\")"],
        "&'staticstr" | "&str" => &["\"\"", "\"xyzzy\""],
        "Timestamp" => &["Timestamp(0)"],
        _ if result.starts_with("Option<bool>") => &["None", "Some(true)", "Some(false)"],
        _ if result.starts_with("Option<") => &["None"],
        _ if result.starts_with("Vec<") => &["Vec::new()"],
        _ if result.starts_with("Result<(),") => &["Ok(())"],
        _ if result.starts_with("Result<bool,") => &["Ok(true)", "Ok(false)"],
        _ if result.starts_with("Result<Option<") => &["Ok(None)"],
        _ if result.starts_with("Result<Vec<") => &["Ok(Vec::new())"],
        _ if result.starts_with("Result<u64,") => &["Ok(0)"],
        _ => &[],
    }
}

fn other_operators(op: &BinOp) -> &'static [&'static str] {
    match op {
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::Lt(_) => &["==", ">", "<="],
        BinOp::Gt(_) => &["==", "<", ">="],
        BinOp::Le(_) => &[">", "<"],
        BinOp::Ge(_) => &["<", ">"],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["+", "/"],
        BinOp::Div(_) => &["%", "*"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::BitAnd(_) => &["|", "^"],
        BinOp::BitOr(_) => &["&", "^"],
        BinOp::BitXor(_) => &["|", "&"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+="],
        BinOp::BitOrAssign(_) => &["&="],
        BinOp::BitAndAssign(_) => &["|="],
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let text = |attribute: &Attribute| attribute.to_token_stream().to_string().replace(' ', "");
    attributes.iter().map(text).any(|text| text == "#[test]" || text == "#[cfg(test)]")
}

fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(both) => has_let(&both.left) || has_let(&both.right),
        _ => false,
    }
}

/// Whether a block begins by leaving: what the condition before it refuses.
fn leaves(block: &Block) -> bool {
    matches!(block.stmts.first(), Some(Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _)))
}

impl VisitMut for Places<'_> {
    // What is no code that runs, or runs when it is compiled.
    fn visit_item_const_mut(&mut self, _: &mut ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut ImplItemConst) {}
    fn visit_item_macro_mut(&mut self, _: &mut ItemMacro) {}
    fn visit_item_enum_mut(&mut self, _: &mut ItemEnum) {}
    fn visit_item_struct_mut(&mut self, _: &mut ItemStruct) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_expr_repeat_mut(&mut self, repeat: &mut ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_item_mod_mut(&mut self, item: &mut ItemMod) {
        if !is_test(&item.attrs) {
            visit_mut::visit_item_mod_mut(self, item);
        }
    }

    fn visit_item_fn_mut(&mut self, item: &mut ItemFn) {
        if !is_test(&item.attrs) {
            self.body(&item.sig, &mut item.block);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut ImplItemFn) {
        self.body(&item.sig, &mut item.block);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        for statement in &mut block.stmts {
            let Stmt::Expr(expression, Some(_)) = statement else { continue };
            if !matches!(
                expression,
                Expr::Assign(_) | Expr::Binary(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::Try(_)
            ) {
                continue;
            }
            let what = format!("leave out: {}", expression.to_token_stream());
            if let Some(number) = self.mutant(expression.span(), &what) {
                *statement = parse_quote!(if !crate::__mutant(#number) { #expression; });
            }
        }
    }

    fn visit_expr_if_mut(&mut self, item: &mut ExprIf) {
        let (place, what) = (item.cond.span(), format!("never: if {}", item.cond.to_token_stream()));
        visit_mut::visit_expr_if_mut(self, item);
        if leaves(&item.then_branch)
            && let Some(number) = self.mutant(place, &what)
        {
            let condition = &item.cond;
            let condition = if has_let(condition) { quote!(#condition) } else { quote!((#condition)) };
            item.cond = Box::new(Expr::Verbatim(quote!(!crate::__mutant(#number) && #condition)));
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        self.visit_expr_mut(&mut arm.body);
        let Some((_, guard)) = &mut arm.guard else { return };
        self.visit_expr_mut(guard);
        if has_let(guard) {
            return;
        }
        let (place, pattern) = (guard.span(), arm.pat.to_token_stream());
        if let Some(number) = self.mutant(place, &format!("guard of {pattern} with true")) {
            **guard = Expr::Verbatim(quote!((crate::__mutant(#number) || (#guard))));
        }
        if let Some(number) = self.mutant(place, &format!("guard of {pattern} with false")) {
            **guard = Expr::Verbatim(quote!((!crate::__mutant(#number) && (#guard))));
        }
    }

    fn visit_expr_match_mut(&mut self, item: &mut ExprMatch) {
        visit_mut::visit_expr_match_mut(self, item);
        let Some((Arm { pat: Pat::Wild(_), guard: None, .. }, arms)) = item.arms.split_last_mut() else { return };
        for arm in arms {
            let (place, what) = (arm.pat.span(), format!("delete arm {}", arm.pat.to_token_stream()));
            let Some(number) = self.mutant(place, &what) else { continue };
            let guard = arm.guard.as_ref().map(|(_, guard)| quote!(&& (#guard)));
            arm.guard = Some((Default::default(), Box::new(Expr::Verbatim(quote!(!crate::__mutant(#number) #guard)))));
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let (place, what) = (expression.span(), expression.to_token_stream().to_string());
        visit_mut::visit_expr_mut(self, expression);
        let switched = match &*expression {
            Expr::Binary(both) if !has_let(&both.left) && !has_let(&both.right) => {
                self.operators(place, &what, (&both.left, &both.op, &both.right))
            }
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => {
                let inner = &not.expr;
                let number = self.mutant(place, &format!("delete ! in {what}"));
                number.map(|number| quote!((if crate::__mutant(#number) { #inner } else { !#inner })))
            }
            _ => None,
        };
        if let Some(switched) = switched {
            *expression = Expr::Verbatim(switched);
        }
    }
}
