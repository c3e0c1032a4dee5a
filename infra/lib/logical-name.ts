/** `sync-execution-status` as CloudFormation's logical names are written: `SyncExecutionStatus`. */
export function logicalName(name: string): string {
  return name.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
