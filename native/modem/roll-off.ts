import {NativeError} from '../native-error.ts';

/** Of the standard; the last three are signalled by two frames in turn (EN 302 307-2, 5.1.6). */
export const rollOffs = [0.35, 0.25, 0.2, 0.15, 0.1, 0.05] as const;

/** How BBHEADERs tell it. Throws NATIVE_MODEM_ARGUMENT. */
export const rollOffFields = (
	rollOff: (typeof rollOffs)[number],
): {readonly rollOffCode: number; readonly alternatesRollOff: boolean} => {
	const code = rollOffs.indexOf(rollOff);
	if (code === -1) {
		throw new NativeError('NATIVE_MODEM_ARGUMENT', `'rollOff' must be one of ${rollOffs.join(', ')}`);
	}
	return {rollOffCode: code % 3, alternatesRollOff: code >= 3};
};
