/** One file of test/machine, and what it takes. */
export type MachineTest = {
	readonly file: string;
	/** On two cores that do nothing else, images included, with half as much again. */
	readonly minutes: number;
	/** What it sees is different on another architecture: how a box boots, and changes what it boots. */
	readonly ofEachArchitecture?: true;
};

/** Those that boot machines, in the order in which they are run: where there is no time for all, the last are left out. */
export const machineTests: readonly MachineTest[] = [
	{file: 'boot', minutes: 22, ofEachArchitecture: true},
	{file: 'update', minutes: 18, ofEachArchitecture: true},
	{file: 'power-cut', minutes: 20},
	{file: 'three-boxes', minutes: 18},
	{file: 'secure-boot', minutes: 12},
	{file: 'carousel-update', minutes: 18},
	{file: 'watchdog', minutes: 8},
	{file: 'bad-release', minutes: 25},
	{file: 'broken-disk', minutes: 12},
	{file: 'diagnostics', minutes: 10},
	{file: 'grub-environment', minutes: 25},
	{file: 'vidtv', minutes: 10},
	{file: 'stick', minutes: 12},
	{file: 'foreign-disk', minutes: 12},
	{file: 'page-claim', minutes: 8},
	{file: 'release-image', minutes: 5},
	{file: 'reproducible', minutes: 13},
];
