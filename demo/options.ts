/** How the demo's headend transmits: IP multicast, or a real DVB signal in one of its forms. */
export const signalForms = ['ip', 'mpe', 'gse', 'iq'] as const;
export type SignalForm = (typeof signalForms)[number];

export type DemoOptions = {
	/** A folder of titles instead of the sample; one folder below it per title. */
	readonly mediaDirectory?: string | undefined;
	/** Share of packets that the link loses, 0..1. */
	readonly lossRatio: number;
	/** Length of the rain fade; 0 = a clear sky. */
	readonly fadeMs: number;
	/** Unattended: play for so long, check, report, end. Absent = until Ctrl-C. */
	readonly forMs?: number | undefined;
	readonly reportPath?: string | undefined;
	/** Opens the subscriber's page when there is a desktop. */
	readonly openBrowser: boolean;
	readonly seed: number;
	/** Rolls a second version out to two more set-tops, by the carousel. */
	readonly update: boolean;
	/** The form of signal between headend and link. */
	readonly uplink: SignalForm;
};

export const demoDefaults = {lossRatio: 0.02, fadeMs: 3000, seed: 1} as const;

/** The attended demo fades once in this time. */
export const attendedSpanMs = 60_000;
