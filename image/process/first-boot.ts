import {readFileSync} from 'node:fs';
import path from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import {boxKindSchema} from '#appliance/contract/box-schema.ts';
import {createLogger} from '#appliance/log/logger.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {anchorPath} from '#image/process/box-units.ts';
import {seedRoot} from '#image/process/stick-paths.ts';
import {commissionBox} from '#image/seed/commission-box.ts';
import {projectRoot} from '#native/project-root.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';

/** The unit streamverse-first-boot.service: before the supervisor, as root; not once the box has its file, unless a seed is brought. */
const templatePath = path.join(projectRoot, 'box.yaml');
const template = z
	.looseObject({box: z.looseObject({kind: boxKindSchema})})
	.parse(parse(readFileSync(templatePath, 'utf8')));
const sectionSchemas = {headend: headendConfigSchema, stb: stbConfigSchema, 'pop-node': popNodeConfigSchema};

await commissionBox({
	templatePath,
	kind: template.box.kind,
	stateDirectory: '/var/lib/streamverse',
	anchorPath,
	seedRoots: ['/efi', seedRoot],
	networkFilesDirectory: '/etc/systemd/network',
	sectionSchemaOf: (kind) => sectionSchemas[kind],
	logger: createLogger({name: 'first-boot', level: 'info'}),
});
