/**
 * Where a box's supervisor, which may do nothing that others may not, finds who does it for it: units of systemd, each with
 * the one right that it needs. On a machine without them the supervisor does what it can by itself.
 */
export type SystemHelpers = {
	/** Packets of an interface for whoever connects and says which (the unit's script knows the words). */
	readonly captureSocket: string;
	/** The kernel's log for whoever connects. */
	readonly kernelLogSocket: string;
	/** The box's light for whoever connects and says how long. */
	readonly identifySocket: string;
	/** A root shell for whoever brings an order of the fleet for it. */
	readonly elevateSocket: string;
	/** The unit of a shell on /dev/pts/<number>. */
	readonly shellUnit: (terminal: number, options: {readonly elevated: boolean}) => string;
	/** Default systemctl of the system. */
	readonly systemctl?: string;
};
