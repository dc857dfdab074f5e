/** A measure that must stay on one side of a threshold. */
export type AlarmRule = {
	readonly alarm: string;
	readonly metric: string;
	readonly direction: 'above' | 'below';
	readonly raiseAt: number;
	/** Where it is over again: beyond `raiseAt`, so that a measure that trembles does not ring all night. */
	readonly clearAt: number;
	/** So many measures in a row must agree before anything is said. */
	readonly samplesMin: number;
	readonly message: (value: number) => string;
};

export type AlarmState = {readonly raised: boolean; readonly contrary: number};

export type AlarmChange = {
	readonly alarm: string;
	readonly raised: boolean;
	readonly message: string;
	readonly value: number;
};

export const alarmStateAtStart: AlarmState = {raised: false, contrary: 0};

/** One measure later. Pure. */
export const stepAlarm = (
	state: AlarmState,
	rule: AlarmRule,
	value: number,
): {readonly state: AlarmState; readonly change?: AlarmChange} => {
	const threshold = state.raised ? rule.clearAt : rule.raiseAt;
	const beyond = rule.direction === 'above' ? value > threshold : value < threshold;
	if (beyond === state.raised) {
		return {state: {raised: state.raised, contrary: 0}};
	}
	const contrary = state.contrary + 1;
	if (contrary < rule.samplesMin) {
		return {state: {raised: state.raised, contrary}};
	}
	const raised = !state.raised;
	const message = raised ? rule.message(value) : `${rule.message(value)} (over)`;
	return {state: {raised, contrary: 0}, change: {alarm: rule.alarm, raised, message, value}};
};

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

export const alarmRules: readonly AlarmRule[] = [
	{
		...{alarm: 'disk', metric: 'disk_free_ratio', direction: 'below', raiseAt: 0.05, clearAt: 0.08, samplesMin: 1},
		message: (value) => `Of the state's disk ${Math.round(value * 1000) / 10} % are free.`,
	},
	{
		...{alarm: 'memory', metric: 'memory_available_bytes', direction: 'below', samplesMin: 3},
		...{raiseAt: 64 * 1024 ** 2, clearAt: 128 * 1024 ** 2},
		message: (value) => `${mebibytes(value)} of memory are available.`,
	},
	{
		...{
			alarm: 'temperature',
			metric: 'temperature_celsius',
			direction: 'above',
			raiseAt: 90,
			clearAt: 80,
			samplesMin: 2,
		},
		message: (value) => `The hottest sensor shows ${Math.round(value)} °C.`,
	},
	{
		...{alarm: 'signal', metric: 'signal_margin_db', direction: 'below', raiseAt: 1, clearAt: 2, samplesMin: 2},
		message: (value) => `The signal's margin is ${Math.round(value * 10) / 10} dB.`,
	},
	{
		...{alarm: 'lock', metric: 'tuner_locked', direction: 'below', raiseAt: 0.5, clearAt: 0.5, samplesMin: 2},
		message: (value) => (value < 0.5 ? 'The tuner has no lock.' : 'The tuner is locked.'),
	},
	{
		...{alarm: 'sections', metric: 'tuner_section_errors_per_minute', direction: 'above', samplesMin: 2},
		...{raiseAt: 60, clearAt: 6},
		message: (value) => `Of what the tuner brings, ${Math.round(value)} sections a minute are damaged.`,
	},
	{
		// A set-top that is tuned and hears nothing: the dish, the cable or the uplink.
		...{alarm: 'reception', metric: 'receive_rate_bps', direction: 'below', raiseAt: 1, clearAt: 1, samplesMin: 3},
		message: (value) => `The satellite brings ${Math.round(value)} bit/s.`,
	},
];
