/** Es/N0 in dB for quasi-error-free reception of a normal frame without implementation loss (EN 302 307-1, table 13). */
const idealThresholds: Readonly<Record<string, number>> = {
	'QPSK 1/4': -2.35,
	'QPSK 1/3': -1.24,
	'QPSK 2/5': -0.3,
	'QPSK 1/2': 1,
	'QPSK 3/5': 2.23,
	'QPSK 2/3': 3.1,
	'QPSK 3/4': 4.03,
	'QPSK 4/5': 4.68,
	'QPSK 5/6': 5.18,
	'QPSK 8/9': 6.2,
	'QPSK 9/10': 6.42,
	'8PSK 3/5': 5.5,
	'8PSK 2/3': 6.62,
	'8PSK 3/4': 7.91,
	'8PSK 5/6': 9.35,
	'8PSK 8/9': 10.69,
	'8PSK 9/10': 10.98,
	'16APSK 2/3': 8.97,
	'16APSK 3/4': 10.21,
	'16APSK 4/5': 11.03,
	'16APSK 5/6': 11.61,
	'16APSK 8/9': 12.89,
	'16APSK 9/10': 13.13,
	'32APSK 3/4': 12.73,
	'32APSK 4/5': 13.64,
	'32APSK 5/6': 14.28,
	'32APSK 8/9': 15.69,
	'32APSK 9/10': 16.05,
};

/** None for a MODCOD whose figure we have not read in a standard. */
export const idealThresholdDb = ({name, frame}: {readonly name: string; readonly frame: string}): number | undefined =>
	frame === 'normal' ? idealThresholds[name] : undefined;
