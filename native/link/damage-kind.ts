/** Every kind of damage that is counted, in the order of damage.hpp: each of its names is here, and a test compares them. */
export const damageKinds = [
	...['sync-loss', 'transport-error', 'scrambled-packet', 'adaptation-field', 'discontinuity', 'too-many-pids'],
	...['pointer-field', 'section-length', 'section-cut', 'section-crc', 'section-foreign', 'section-scrambled'],
	...['section-numbered', 'section-snap', 'psi-syntax'],
	...['sndu-length', 'sndu-cut', 'sndu-crc', 'sndu-type'],
	...['frame-crc', 'frame-length', 'frame-cut', 'frame-gap', 'frame-sync', 'frame-kind', 'user-packet-crc'],
	...[
		'gse-length',
		'gse-label',
		'gse-type',
		'gse-orphan',
		'gse-overlap',
		'gse-total',
		'gse-crc',
		'gse-timeout',
		'gse-room',
	],
	...['rtp-gap', 'foreign-datagram', 'ip-malformed'],
] as const;

export type DamageKind = (typeof damageKinds)[number];
