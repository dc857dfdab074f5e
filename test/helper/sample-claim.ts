/** A claim that the schema takes; nothing in it is real. */
export const sampleClaim = {
	version: 1,
	fleet: 'fleet-1',
	estUrl: 'https://fleet.example:8443/.well-known/est',
	brokerUrl: 'mqtts://fleet.example:8883',
	deviceUrl: 'https://fleet.example:8444/',
	token: 'token-of-sixteen-characters',
	caPem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
	orderKey: {kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA'},
	releaseCaPem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
} as const;
