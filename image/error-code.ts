/** What can go wrong while an image is made, flashed or run in a virtual machine. */
export type ImageErrorCode =
	| 'IMAGE_KIND_UNKNOWN'
	| 'IMAGE_NEEDS_ROOT'
	| 'IMAGE_TOOL_MISSING'
	| 'IMAGE_NO_MIRROR'
	| 'IMAGE_RECIPE_INVALID'
	| 'IMAGE_STAGE_FAILED'
	| 'IMAGE_KEYS_INVALID'
	| 'IMAGE_STUB_INVALID'
	| 'IMAGE_MACHINE_FAILED'
	| 'IMAGE_MACHINE_TIMEOUT';
