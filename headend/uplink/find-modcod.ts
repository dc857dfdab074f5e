import {CodedError} from '#appliance/error/coded-error.ts';
import type {HeadendErrorCode} from '#headend/error-code.ts';
import type {SatelliteConfig} from '#headend/network-config-schema.ts';
import {listModcods, type Modcod} from '#native/modem/modem.ts';

export type ModcodChoice = Pick<SatelliteConfig, 'modulation' | 'codeRate' | 'frame' | 'pilots'>;

/**
 * The row of the standard's tables that a transponder's configuration names.
 * @throws CodedError HEADEND_MODCOD_UNKNOWN with the code rates that there are.
 */
export const findModcod = ({modulation, codeRate, frame, pilots}: ModcodChoice): Modcod => {
	const all = listModcods();
	const name = `${modulation} ${codeRate}`;
	const found = all.find((each) => each.name === name && each.frame === frame && each.pilots === pilots);
	if (found === undefined) {
		const others = all
			.filter((each) => each.name.startsWith(`${modulation} `) && each.frame === frame && each.pilots === pilots)
			.map((each) => each.name.slice(modulation.length + 1));
		throw new CodedError<HeadendErrorCode>('HEADEND_MODCOD_UNKNOWN', {
			message:
				`DVB-S2 and S2X have no ${name} in ${frame} frames. Set network.satellite.codeRate to one of ` +
				`${others.join(', ') || 'another frame'}.`,
		});
	}
	return found;
};
