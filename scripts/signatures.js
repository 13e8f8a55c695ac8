// Writes toolkit/kql/functions/signatures.tsv: names, parameters and result rules of KQL's built-in functions, aggregates
// and plugins, read from the public analyzer package @kusto/language-service-next (facts only, no code, no prose).
// usage: node scripts/signatures.js NODE_MODULES > toolkit/kql/functions/signatures.tsv
const path = require('path');
const base = path.resolve(process.argv[2], '@kusto/language-service-next');
require(path.join(base, 'bridge.min.js'));
require(path.join(base, 'Kusto.Language.Bridge.min.js'));
const L = globalThis.Kusto.Language, S = L.Symbols;
const list = x => { const r = []; if (!x) return r; const n = x.Count !== undefined ? x.Count : System.Array.getCount(x); for (let i = 0; i < n; i++) r.push(System.Array.getItem(x, i)); return r; };
const names = E => { const m = {}; for (const k in E) if (typeof E[k] === 'number') m[E[k]] = k; return v => typeof v === 'number' ? (m[v] ?? String(v)) : String(v); };
const paramKind = names(S.ParameterTypeKind), returnKind = names(S.ReturnTypeKind), argKind = names(S.ArgumentKind), nameKind = names(S.ResultNameKind);
function occurs(p) {
  if (p.MinOccurring === 1 && p.MaxOccurring === 1) return '';
  if (p.MinOccurring === 0 && p.MaxOccurring === 1) return '?';
  return `{${p.MinOccurring}-${p.MaxOccurring}}`;
}
function parameter(p) {
  const kind = paramKind(p.TypeKind);
  const types = kind === 'Declared' ? list(p.DeclaredTypes).map(t => t.Name).join('/') : kind;
  const arg = argKind(p.ArgumentKind);
  const values = list(p.Values).join('/');
  return `${p.Name}${occurs(p)}:${types}${arg === 'Expression' ? '' : '@' + arg}${values ? '=' + values : ''}`;
}
function layout(s) {
  const known = Object.keys(S.ParameterLayouts).find(k => S.ParameterLayouts[k] === s.Layout);
  return {Fixed: '', Repeating: 'R', BlockRepeating: 'B'}[known] ?? 'C';
}
function signature(s) {
  let result = returnKind(s.ReturnKind);
  if (result === 'Declared') {
    const t = s._returnType;
    result = t && t.Columns ? '(' + list(t.Columns).map(c => c.Name + ':' + c.Type.Name).join('/') + ')' : (t ? t.Name : 'unknown');
  }
  return `${layout(s)}(${list(s.Parameters).map(parameter).join(', ')})>${result}`;
}
function rows(kind, all) {
  return list(all).map(f => [kind, f.Name, nameKind(f.ResultNameKind) + (f.ResultNamePrefix ? ':' + f.ResultNamePrefix : ''),
    [f.IsObsolete ? 'obsolete' : '', f.IsHidden ? 'hidden' : '', f.IsConstantFoldable ? 'fold' : ''].filter(Boolean).join(','),
    f.Alternative || '', list(f.Signatures).filter(s => !s.IsHidden || list(f.Signatures).length === 1).map(signature).join(' ; ')].join('\t'));
}
console.log([...rows('function', L.Functions.All), ...rows('aggregate', L.Aggregates.All), ...rows('plugin', L.PlugIns.All)].sort().join('\n'));
