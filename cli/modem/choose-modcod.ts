import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {listModcods, type Modcod} from '#native/modem/modem.ts';

/** Beyond the PLS values. */
const vlSnrFirst = 256;

export type ModcodChoice = {
	readonly modcod: string;
	readonly frame: 'normal' | 'medium' | 'short';
	readonly pilots: boolean;
};

/**
 * `8PSK 3/4`, `8psk-3/4`, `256APSK 135/180` (the rate of its code), or a PLS value, which says everything.
 * @throws CodedError CLI_MODCOD_UNKNOWN with those that resemble it.
 */
export const chooseModcod = ({modcod, frame, pilots}: ModcodChoice): Modcod => {
	const all = listModcods();
	const wanted = simplify(modcod);
	const found = /^\d+$/u.test(modcod)
		? all.find(({pls}) => pls === Number(modcod))
		: all.find((each) => each.frame === frame && hasPilots(each, pilots) && namesOf(each).includes(wanted));
	if (found === undefined) {
		const [modulation = ''] = modcod.split(/[\s_-]/u);
		const near = all.filter((each) => hasPilots(each, pilots) && simplify(each.name).startsWith(simplify(modulation)));
		const names = [...new Set((near.length > 0 ? near : all).map((each) => `${each.name} ${each.frame}`))];
		throw new CodedError<CliErrorCode>('CLI_MODCOD_UNKNOWN', {
			message: `There is no ${modcod} of a ${frame} frame; there are ${names.join(', ')}.`,
		});
	}
	return found;
};

/** VL-SNR frames always have them, asked for or not. */
const hasPilots = (modcod: Modcod, wanted: boolean): boolean => modcod.pilots === wanted || modcod.pls >= vlSnrFirst;

const namesOf = ({name, modulation, rate}: Modcod): readonly string[] =>
	[name, `${modulation} ${rate}`].map((each) => simplify(each));

const simplify = (name: string): string => name.toLowerCase().replace(/[\s_-]+/gu, '-');
