export { ExportEnd } from './export-end.ts'
export { type ExportManifest, type ExportQuery, LedgerExport } from './ledger-export.ts'
