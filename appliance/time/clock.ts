/** Time is injected: tests turn it, roles read it. */
export type Clock = {
	/** Milliseconds since the Unix epoch. */
	readonly nowMs: () => number;
	/** Milliseconds on a clock that never jumps; only differences mean anything. */
	readonly monotonicMs: () => number;
};

export const systemClock: Clock = {
	nowMs: () => Date.now(),
	monotonicMs: () => performance.now(),
};

/** Seconds between the NTP era 0 (1900) and the Unix epoch (1970), RFC 5905 figure 4. */
export const ntpUnixOffsetSeconds = 2_208_988_800;

/** Unix milliseconds to the decimal NTP seconds that an FDT's Expires carries (RFC 3926 section 3.4.2). */
export const toNtpSeconds = (unixMs: number): number => Math.floor(unixMs / 1000) + ntpUnixOffsetSeconds;

export const fromNtpSeconds = (ntpSeconds: number): number => (ntpSeconds - ntpUnixOffsetSeconds) * 1000;
