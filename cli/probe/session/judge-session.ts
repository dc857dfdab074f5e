import {createHash} from 'node:crypto';
import type {FindingBook} from '#cli/probe/finding.ts';
import type {AlcPacket, AlcProblem} from '#cli/probe/packet/parse-alc.ts';
import type {FdtFile} from '#cli/probe/session/read-fdt.ts';

type Place = {readonly where: string; readonly findings: FindingBook};

/** FDT instances of the profile are those of RFC 3926. */
const profileFdtVersion = 1;

/** What can be said of a packet by itself. */
export const judgePacket = ({toi, fdt, fti}: AlcPacket, {where, findings}: Place): void => {
	const add = (severity: 'error' | 'warning', clause: string, message: string): void =>
		findings.add({severity, clause, where, message});
	if (toi !== '0') {
		if (fdt !== undefined) {
			add('error', 'RFC 3926 section 3.4.1', 'EXT_FDT on packets of an object that is no FDT (TOI is not 0)');
		}
		return;
	}
	if (fdt === undefined) {
		add('error', 'RFC 3926 section 3.4.1', 'FDT packets (TOI 0) without EXT_FDT');
	} else if (fdt.version !== profileFdtVersion) {
		add('warning', 'TS 103 769 annex F', `EXT_FDT tells FLUTE version ${fdt.version}; the profile is version 1`);
	}
	if (fti === undefined) {
		add('error', 'RFC 3926 section 5.1.1', 'FDT packets without EXT_FTI, from which alone their length is known');
	}
};

/** Only of what was put together here. */
export const judgeDigest = ({sha256, uri}: FdtFile, bytes: Buffer, {where, findings}: Place): void => {
	if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
		findings.add({
			severity: 'error',
			clause: 'TS 103 769 annex F',
			where,
			message: `${uri} is not what its digest in the FDT says`,
		});
	}
};

/** Why bytes that came where FLUTE is expected are none. */
export const alcProblems: Readonly<Record<AlcProblem, {readonly clause: string; readonly message: string}>> = {
	version: {clause: 'RFC 5651 section 5.1', message: 'Packets whose LCT version is not 1'},
	short: {clause: 'RFC 5651 section 5.1', message: 'Packets shorter than an LCT header'},
	'header-length': {clause: 'RFC 5651 section 5.1', message: 'LCT header length contradicts its fields or the packet'},
	'extension-length': {clause: 'RFC 5651 section 5.2', message: 'An LCT header extension has an impossible length'},
};
