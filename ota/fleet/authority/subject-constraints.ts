import 'reflect-metadata';

import {Extension, type Name} from '@peculiar/x509';
import {Constructed, fromBER, Sequence} from 'asn1js';

const nameConstraintsOid = '2.5.29.30';

/**
 * Name constraints (RFC 5280 section 4.2.1.10), critical: subjects below must begin with this name. `permittedSubtrees`
 * is [0], and a GeneralName's `directoryName` is [4], explicit because a Name is a CHOICE.
 */
export const subjectConstraints = (permitted: Name): Extension => {
	const directoryName = new Constructed({
		idBlock: {tagClass: 3, tagNumber: 4},
		value: [fromBER(permitted.toArrayBuffer()).result],
	});
	const subtree = new Sequence({value: [directoryName]});
	const permittedSubtrees = new Constructed({idBlock: {tagClass: 3, tagNumber: 0}, value: [subtree]});
	return new Extension(nameConstraintsOid, true, new Sequence({value: [permittedSubtrees]}).toBER());
};
