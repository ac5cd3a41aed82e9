/** What `kubectl explain` says of what all objects have. */
export const OBJECT_DESCRIPTIONS = {
  apiVersion: 'APIVersion defines the group and the version in which this object is written.',
  kind: 'Kind says what this object is.',
  metadata:
    "Standard object's metadata: how it is called, what it is labelled, and what the server keeps about it.",
} as const;

/** The same of the members of metadata. */
export const META_DESCRIPTIONS: Readonly<Record<string, string>> = {
  annotations: 'Annotations are notes of people and tools; objects are not selected by them.',
  creationTimestamp: 'CreationTimestamp is a timestamp of the moment in which the server made this object.',
  deletionGracePeriodSeconds: 'So long the object is given to end by itself once it is being deleted.',
  deletionTimestamp: 'When the object is to be gone; set by the server when somebody deletes it.',
  finalizers: 'The object stays until nobody has an entry here any more.',
  generateName: 'The server makes a name that begins like this where no name is given.',
  generation: 'Grows with each change of what is wanted.',
  labels: 'Labels are what objects are selected by.',
  managedFields: 'Who has written which field.',
  name: 'Name is unique among the objects of this kind in the namespace.',
  namespace: 'Namespace is where the name is unique; some kinds have none.',
  ownerReferences: 'The object goes when all of these have gone.',
  resourceVersion: 'Changes with every write; to be compared for equality only, and to be watched from.',
  selfLink: 'No longer filled in.',
  uid: 'Unlike the name it is never used again.',
};
