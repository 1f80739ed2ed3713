export { type RecoverOptions, type RecoverReport, recoverAfterRestore } from './recover.ts'
export { type RestoreOptions, type RestoreReport, restoreBackup } from './restore-backup.ts'
export { type BackupOptions, type BackupReport, writeBackup } from './write-backup.ts'
