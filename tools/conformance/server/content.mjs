// Smallest files of their kinds, as the suite's fixtures answer with.

/** one red pixel */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** a sound of no length */
export const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

export const text = (words) => ({ type: 'text', text: words });
export const image = { type: 'image', data: PNG, mimeType: 'image/png' };
export const resource = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } });
export const says = (words) => ({ content: [text(words)] });
