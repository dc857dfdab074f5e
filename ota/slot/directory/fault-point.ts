/** Where a test may make the development installer fail: before each thing that it does to the disk. */
export const faultPoints = [
	'install-begin',
	'install-clear',
	'install-entry',
	'install-digest',
	'install-rename',
	'install-activate',
	'record-write',
	'record-rename',
	'record-done',
	'switch-rename',
	'mark-good',
	'mark-bad',
	'cancel',
	'reboot',
] as const;
export type FaultPoint = (typeof faultPoints)[number];
